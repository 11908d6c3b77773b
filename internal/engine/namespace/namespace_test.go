//go:build linux

package namespace_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

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
