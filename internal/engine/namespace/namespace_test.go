//go:build linux

package namespace_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/namespace"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func newEngine(t *testing.T, options namespace.Options) *namespace.Engine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options.Visible = append(options.Visible, filepath.Dir(self))
	if options.Server == "" {
		options.Server = "aloft-test-" + filepath.Base(t.TempDir()) + filepath.Base(filepath.Dir(t.TempDir()))
	}
	e, err := namespace.New(t.Context(), options)
	if err != nil {
		t.Skipf("this machine does not let sandboxes be made (%v); see aloft doctor", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestContract(t *testing.T) { enginetest.Run(t, newEngine(t, namespace.Options{Ready: 1})) }

func TestContractBounded(t *testing.T) {
	enginetest.Run(t, newEngine(t, namespace.Options{Bounded: true}))
}

// TestProgramsSeeTheirBounds: what sizes itself by control groups finds the sandbox's own, and only them.
func TestProgramsSeeTheirBounds(t *testing.T) {
	e := newEngine(t, namespace.Options{Bounded: true})
	tree, private := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(private, "home"), 0o700), os.Mkdir(filepath.Join(private, "tmp"), 0o700)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	box, err := e.Start(t.Context(), engine.Spec{
		ID: "look", Tree: tree, Private: private, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"}, Limits: engine.Limits{Memory: 123 << 20},
		Command: []string{"/bin/sh", "-c", `cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory.max 2>/dev/null; cut -d: -f3 /proc/self/cgroup | sort -u`},
		Stdout:  &out, Stderr: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	<-box.Done()
	lines := strings.Fields(out.String())
	if len(lines) < 2 || lines[0] != fmt.Sprint(123<<20) || lines[1] != "/" {
		t.Errorf("it sees %q", out.String())
	}
}

// TestOrdinaryUser runs the contract again as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	enginetest.AsNobody(t, "TestContract")
}
