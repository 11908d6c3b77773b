package enginetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Nobody returns a command that runs the test binary again as a user without privileges, who has a home and a temporary
// directory and nothing else. The test must run as root.
func Nobody(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "aloft-user-") //nolint:usetesting // others may not enter a test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const nobody = 65534
	tmp := filepath.Join(dir, "tmp")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(tmp, 0o700), os.Chown(tmp, nobody, nobody)); err != nil {
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
	again := exec.CommandContext(t.Context(), program, args...)
	again.Dir = dir
	again.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tmp, "HOME=" + dir}
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return again
}

// AsNobody runs a test, or all with "", as Nobody does and fails if it does, or if no such test passed.
func AsNobody(t *testing.T, test string) {
	t.Helper()
	out, err := Nobody(t, "-test.v", "-test.timeout=5m", "-test.run="+test).CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Errorf("%s did not pass as an ordinary user:\n%s", test, out)
	}
}
