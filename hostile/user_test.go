package hostile_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// nobody is a user without rights: root may read and write everything.
const nobody = 65534

// stranger is a user's own directory, with the aloft command in it.
type stranger struct {
	*aloftest.World
	base string
}

func newStranger(t *testing.T) *stranger {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user")
	}
	s := &stranger{World: aloftest.New(t), base: t.TempDir()}
	for dir := s.base; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.Home = filepath.Join(s.base, "user", "home")
	s.mkdir(t, "user", 0o700, nobody)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.base, "aloft"), program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop := s.as("stop", "--server")
		stop.Dir = "/" // the app's directory may be closed to the user by then
		if out, err := stop.CombinedOutput(); err != nil {
			t.Errorf("stop the server: %v\n%s", err, out)
		}
	})
	return s
}

func (s *stranger) mkdir(t *testing.T, name string, mode os.FileMode, owner int) string {
	t.Helper()
	path := filepath.Join(s.base, name)
	if err := os.Mkdir(path, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, owner, owner); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *stranger) file(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.base, name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// run runs aloft as nobody in the app's directory and returns its status and what it said.
func (s *stranger) run(args ...string) (status int, said string) {
	cmd := s.as(args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // its status says it
	return cmd.ProcessState.ExitCode(), out.String()
}

func (s *stranger) as(args ...string) *exec.Cmd {
	cmd := s.Command(context.Background(), filepath.Join(s.base, "app"), args...)
	cmd.Path = filepath.Join(s.base, "aloft")
	cmd.Env = append(cmd.Env, "HOME="+filepath.Join(s.base, "user"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// TestUnreadableSource: files that may not be read are named, and nothing is released.
func TestUnreadableSource(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	s.mkdir(t, "app", 0o755, 0)
	s.file(t, "app/index.html", "hello", 0o644)
	s.file(t, "app/private", "private", 0o600)
	status, said := s.run("up")
	if status != 2 || !strings.Contains(said, `cannot read "private": permission denied`) || !strings.Contains(said, ".aloftignore") {
		t.Errorf("an unreadable file: status %d\n%s", status, said)
	}
	s.file(t, "app/.aloftignore", "private\n", 0o644)
	if status, said := s.run("up"); status != 0 {
		t.Errorf("when it is ignored: status %d\n%s", status, said)
	}
	s.file(t, "app/aloft.yml", "name: app\n", 0o600)
	if status, said := s.run("up"); status != 2 || !strings.Contains(said, "aloft.yml") || !strings.Contains(said, "permission denied") {
		t.Errorf("an unreadable manifest: status %d\n%s", status, said)
	}
	if err := os.Chmod(filepath.Join(s.base, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	if status, said := s.run("-C", filepath.Join(s.base, "app"), "up"); status != 2 && status != -1 {
		t.Errorf("an unreadable directory: status %d\n%s", status, said)
	}
}

// TestReadOnlyHome: a home directory that may not be written is said with the way out; one that was writable keeps serving
// what it serves.
func TestReadOnlyHome(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	s.mkdir(t, "app", 0o755, 0)
	s.file(t, "app/index.html", "hello", 0o644)
	closed := s.mkdir(t, "closed", 0o755, 0)
	for name, home := range map[string]string{"missing": filepath.Join(closed, "home"), "there": closed} {
		status, said := s.run("--home", home, "up")
		if status != 1 || !strings.Contains(said, "permission denied") || !strings.Contains(said, "ALOFT_HOME") {
			t.Errorf("%s: status %d\n%s", name, status, said)
		}
	}
	if entries, err := os.ReadDir(closed); err != nil || len(entries) > 0 {
		t.Errorf("left in it: %v, %v", entries, err)
	}
	if status, said := s.run("up", "production"); status != 0 {
		t.Fatalf("status %d\n%s", status, said)
	}
	s.seal(t, 0o500)
	s.file(t, "app/index.html", "hello again", 0o644)
	status, said := s.run("up", "production")
	if status != 1 || !strings.Contains(said, "permission denied") || strings.Contains(said, "goroutine ") {
		t.Errorf("a home that became read-only: status %d\n%s", status, said)
	}
	if _, body := s.Get(t, "http://app.localhost"); body != "hello" {
		t.Errorf("it serves %q", body)
	}
	s.seal(t, 0o700)
	if status, said := s.run("up", "production"); status != 0 {
		t.Errorf("when it may be written again: status %d\n%s", status, said)
	}
	if _, body := s.Get(t, "http://app.localhost"); body != "hello again" {
		t.Errorf("it serves %q", body)
	}
}

// seal sets the mode of all directories of the home.
func (s *stranger) seal(t *testing.T, mode os.FileMode) {
	t.Helper()
	err := filepath.WalkDir(s.Home, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, mode)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
