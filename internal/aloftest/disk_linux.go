package aloftest

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// OnSmallDisk runs do with the directory of an empty disk of a size such as "1m", mounted where only a child process sees it:
// the same test, run again. It skips the test where that cannot be made.
func OnSmallDisk(t *testing.T, size string, do func(t *testing.T, disk string)) {
	t.Helper()
	const child, done = "ALOFT_TEST_DISK", "it was done on the small disk"
	if disk := os.Getenv(child); disk != "" {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
			t.Fatal(err)
		}
		do(t, disk)
		t.Log(done)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Skipf("cannot make a mount namespace (%v); allow user namespaces (sysctl kernel.unprivileged_userns_clone=1) or run as root", err)
	}
	if err != nil || !strings.Contains(string(out), done) {
		t.Errorf("%v\n%s", err, out)
	}
}
