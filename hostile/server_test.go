package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/cli"
)

// The test binary plays three parts: the tests, the aloft command ("HOSTILE_PART=aloft"), and the deployed app.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "hostile-app" {
		if err := runApp(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	process := cli.Process{Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	switch os.Getenv("HOSTILE_PART") {
	case "aloft":
		os.Exit(cli.Main(context.Background(), process))
	case "aloft-row-before-artifact":
		process.WrapPut = rowBeforeArtifact
		os.Exit(cli.Main(context.Background(), process))
	}
	os.Exit(m.Run())
}

// rowBeforeArtifact is a seeded bug: the artifact is on the disk some time after the release names it.
func rowBeforeArtifact(put cli.PutFunc) cli.PutFunc {
	return func(ctx context.Context, archive *artifact.Archive) (aloft.Artifact, error) {
		go func() {
			time.Sleep(50 * time.Millisecond)
			_, _ = put(context.WithoutCancel(ctx), archive)
		}()
		return archive.Artifact(), nil
	}
}

// world is one home with a server, and an app directory.
type world struct {
	home string
	app  string
	addr string // of the gateway
	cmd  *exec.Cmd
	part string // which build of the command serves; see TestMain
	log  *bytes.Buffer
}

// newWorld makes a home and an app whose server is this test binary. Its gateway address stays the same over restarts.
func newWorld(t *testing.T, manifest string) *world {
	t.Helper()
	w := &world{part: "aloft", home: filepath.Join(t.TempDir(), "home"), app: filepath.Join(t.TempDir(), "shop"), addr: freeAddr(t)}
	if err := os.MkdirAll(w.app, 0o755); err != nil {
		t.Fatal(err)
	}
	w.write(t, "aloft.yml", "name: shop\n"+manifest)
	w.edit(t, "one")
	t.Cleanup(func() { w.end(t) })
	return w
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.app, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// edit changes what the app says about its version.
func (w *world) edit(t *testing.T, version string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "server", fmt.Sprintf("#!/bin/sh\nexec %q hostile-app %s\n", self, version))
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = w.app
	cmd.Env = append(os.Environ(), "HOSTILE_PART="+w.part, "ALOFT_HOME="+w.home, "ALOFT_HTTP="+w.addr)
	return cmd
}

// start starts the server and waits until its API answers.
func (w *world) start(t *testing.T) {
	t.Helper()
	w.cmd = w.command(context.Background(), "serve", "--http", w.addr)
	w.log = &bytes.Buffer{}
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(w.home, "aloft.sock")
	eventually(t, 30*time.Second, func() error {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return fmt.Errorf("%w; its log:\n%s", err, w.log)
		}
		return conn.Close()
	})
}

// kill ends the server without a warning.
func (w *world) kill(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = w.cmd.Wait()
}

func (w *world) end(t *testing.T) {
	t.Helper()
	if w.cmd == nil || w.cmd.ProcessState != nil {
		return
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	_ = w.cmd.Wait()
}

// deployment is what `up --json` and its kin print.
type deployment struct {
	Release  int    `json:"release"`
	URL      string `json:"url"`
	Artifact struct {
		Digest string `json:"digest"`
	} `json:"artifact"`
}

// run runs an aloft command to its end and returns what it printed.
func (w *world) run(args ...string) (stdout, stderr string, err error) {
	cmd := w.command(context.Background(), args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// must runs an aloft command that has to succeed, and decodes its JSON.
func (w *world) must(t *testing.T, into any, args ...string) {
	t.Helper()
	out, errs, err := w.run(args...)
	if err != nil {
		t.Fatalf("aloft %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("aloft %s printed %q: %v", strings.Join(args, " "), out, err)
	}
}

// host is the app's host at its production stage.
const host = "shop.localhost"

// request is a request to the gateway for the app.
func (w *world) request(ctx context.Context, method, path, body string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Host = host
	return r
}

func eventually(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", limit, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
