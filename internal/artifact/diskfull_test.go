package artifact_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

// TestDiskFull stores and unpacks on a real full disk: one of 1 MB, mounted where only a child process sees it.
func TestDiskFull(t *testing.T) {
	const child = "ALOFT_TEST_DISK"
	if dir := os.Getenv(child); dir != "" {
		onSmallDisk(t, dir)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestDiskFull$", "-test.v")
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
	if err != nil || !strings.Contains(string(out), "disk was full") {
		t.Errorf("%v\n%s", err, out)
	}
}

func onSmallDisk(t *testing.T, disk string) {
	t.Helper()
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"))
	store, err := artifact.Open(filepath.Join(disk, "artifacts"))
	must(t, err)
	src := t.TempDir()
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	write(t, src, map[string]string{"noise": string(noise)})
	archive := pack(t, scan(t, src, source.Options{}), artifact.PackOptions{})
	_, err = store.Put(t.Context(), archive)
	coded(t, err, aloft.Internal, disk, "no space left on device")
	noLeftovers(t, filepath.Join(disk, "artifacts"))
	if store.Has(archive.Artifact().Digest) {
		t.Error("the store has what did not fit")
	}

	zeros := t.TempDir() // fits packed, not unpacked
	write(t, zeros, map[string]string{"zeros": string(make([]byte, 3<<20))})
	made := put(t, store, pack(t, scan(t, zeros, source.Options{}), artifact.PackOptions{}))
	dst := filepath.Join(disk, "app")
	err = store.Extract(t.Context(), made.Digest, dst)
	coded(t, err, aloft.Internal, disk, "no space left on device")
	if left, _ := filepath.Glob(dst + "*"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the cause is lost: %v", err)
	}
	err = scan(t, zeros, source.Options{}).Copy(t.Context(), dst)
	coded(t, err, aloft.Internal, disk, "no space left on device")
	t.Log("disk was full")
}
