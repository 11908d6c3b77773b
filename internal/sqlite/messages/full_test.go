package messages_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// TestDiskFull fills a real disk: one of 2 MB, mounted where only a child process sees it.
func TestDiskFull(t *testing.T) {
	const child = "ALOFT_TEST_DISK"
	if dir := os.Getenv(child); dir != "" {
		onSmallDisk(t, dir)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
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

// onSmallDisk: what was accepted is there and can be worked on; what was not is refused with a reason; with room again all goes on.
func onSmallDisk(t *testing.T, disk string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(disk, "messages.db"))
	put := func(id string) error {
		_, err := s.Put(t.Context(), messages.Put{Queue: "q", ID: id, Body: make([]byte, 20<<10)})
		return err
	}
	accepted := 0
	var err error
	for ; err == nil; accepted++ {
		err = put(fmt.Sprint(accepted))
	}
	accepted--
	var e *aloft.Error
	if !errors.As(err, &e) || e.Code != aloft.Internal || !strings.Contains(e.Message, "full") || e.Hint == "" || accepted < 10 {
		t.Fatalf("after %d messages: %v", accepted, err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err == nil {
		t.Error("the disk was not full")
	}
	if got := peek(t, s); got != accepted {
		t.Errorf("%d messages are there, %d were accepted", got, accepted)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	// Whoever works on messages may need room that there is not, and tries again until there is.
	claimed, err := s.Claim(t.Context(), messages.Claim{Queue: "q", Max: 5, Visibility: time.Hour})
	t.Logf("claimed %d on the full disk: %v", len(claimed), err)
	if err := s.Close(); err != nil {
		t.Logf("closed on the full disk: %v", err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	s = open(t, filepath.Join(disk, "messages.db"))
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := peek(t, s); got != accepted {
		t.Errorf("with room again %d messages are there, %d were accepted", got, accepted)
	}
	if err := put("more"); err != nil {
		t.Error(err)
	}
	t.Log("disk was full")
}

func peek(t *testing.T, s *messages.Store) int {
	t.Helper()
	all, err := s.Peek(t.Context(), "q", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
