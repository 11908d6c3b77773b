//go:build linux

package namespace_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// TestOrdinaryUser runs the tests of this package again as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already")
	}
	dir, err := os.MkdirTemp("", "aloft-user-") //nolint:usetesting // others may not enter a test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const nobody = 65534
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "tmp"), 0o700), os.Chown(filepath.Join(dir, "tmp"), nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "tests")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), program, "-test.v", "-test.timeout=5m")
	again.Dir = dir
	again.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(dir, "tmp"), "HOME=" + dir}
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := again.CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("--- PASS: TestContract")) {
		t.Errorf("the contract was not tested as an ordinary user:\n%s", out)
	}
}
