package hostile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/cli"
)

// The test binary plays three parts: the tests, the aloft command, and the deployed app.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "hostile-app" {
		run := runApp
		if os.Args[2] == eventWorker {
			run = workOnEvents
		}
		if err := run(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	aloftest.Main(m, map[string]func(*cli.Process){
		counted: tellGoroutines(false), leaky: tellGoroutines(true),
		rowFirst:    func(p *cli.Process) { p.WrapPut = rowBeforeArtifact },
		ackFirst:    func(p *cli.Process) { p.WrapInvoker = ackBeforeDisk },
		fewReaders:  func(p *cli.Process) { p.Limits.SlowReaders = 100 },
		impatient:   func(p *cli.Process) { p.Limits.Proxy.Stall = time.Second },
		inattentive: func(p *cli.Process) { p.Limits.Proxy.HangUp = time.Hour },
		hasty:       func(p *cli.Process) { p.AWSPatience = 10 * time.Second },
		unbounded:   func(p *cli.Process) { p.Limits = noLimits() },
	})
}

// rowFirst is a seeded bug: the artifact is on the disk some time after the release names it.
const rowFirst = "row-before-artifact"

func rowBeforeArtifact(put cli.PutFunc) cli.PutFunc {
	return func(ctx context.Context, archive *artifact.Archive) (aloft.Artifact, error) {
		go func() {
			time.Sleep(50 * time.Millisecond)
			_, _ = put(context.WithoutCancel(ctx), archive)
		}()
		return archive.Artifact(), nil
	}
}

// shop is a world with an app whose server is this test binary.
type shop struct {
	*aloftest.World
	dir string
}

// url is where the app's production stage answers.
const url = "http://shop.localhost"

func newShop(t *testing.T, manifest string) *shop {
	t.Helper()
	s := &shop{World: aloftest.New(t), dir: t.TempDir()}
	s.write(t, "aloft.yml", "name: shop\n"+manifest)
	s.edit(t, "one")
	return s
}

func (s *shop) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// edit changes what the app says about its version.
func (s *shop) edit(t *testing.T, version string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "server", fmt.Sprintf("#!/bin/sh\nexec %q hostile-app %s\n", self, version))
}
