package hostile_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// TestDiskFull: an artifact that does not fit is refused with the reason, what served still serves, and once there is room
// the same command works, without a restart.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	s := newShop(t, "")
	if err := os.MkdirAll(s.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", s.Home, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("mounting is not allowed here (%v); run outside of the container", err)
	}
	t.Cleanup(func() {
		s.Stop()
		if err := syscall.Unmount(s.Home, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s.Serve(t)
	s.Up(t, s.dir)

	random := make([]byte, 32<<20)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(s.dir, "big")
	if err := os.WriteFile(big, random, 0o644); err != nil {
		t.Fatal(err)
	}
	s.edit(t, "two")
	_, stderr, err := s.Run(s.dir, "up", "production")
	if err == nil || !strings.Contains(stderr, "no space left on device") || strings.Contains(stderr, "goroutine ") {
		t.Fatalf("up onto a full disk: %v\n%s", err, stderr)
	}
	if _, body := s.Get(t, url); body != "one \n" {
		t.Errorf("after it failed the app says %q", body)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Home, "artifacts", "tmp", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(big); err != nil {
		t.Fatal(err)
	}
	var d aloftest.Deployment
	s.Must(t, &d, s.dir, "up", "production", "--json")
	if _, body := s.Get(t, url); body != "two \n" {
		t.Errorf("with room again the app says %q at v%d", body, d.Release)
	}
}
