package hostile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// TestInterrupt interrupts deploys at random moments, from the first to the last: each ends with status 130, or 0 if it was
// done; the app serves what it did before or what was deployed; no process, directory or pending release is left; and the
// same command works.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := newShop(t, "build: sleep 0.1\nhooks: {predeploy: sleep 0.1}\ndrain: 1s\n")
	s.Serve(t)
	s.Up(t, s.dir)
	random := rand.New(rand.NewPCG(7, 7))
	cut, served := 0, "one \n"
	n := 40
	if testing.Short() {
		n = 10
	}
	for i := range n {
		version := fmt.Sprintf("interrupt-%d", i)
		s.edit(t, version)
		status, said := s.interruptUp(t, time.Duration(random.IntN(600))*time.Millisecond)
		if status != 130 && status != 0 || strings.Contains(said, "goroutine ") {
			t.Fatalf("an interrupted deploy ended with status %d:\n%s", status, said)
		}
		if status == 130 {
			cut++
		}
		aloftest.Eventually(t, 20*time.Second, s.nothingLeft)
		switch _, body := s.Get(t, url); {
		case body == version+" \n":
			served = body
		case body != served || status == 0:
			t.Fatalf("after status %d the app says %q, before %q:\n%s", status, body, served, said)
		}
	}
	t.Logf("%d of %d interrupts cut a deploy off", cut, n)
	if cut == 0 {
		t.Error("no interrupt hit a deploy: the test shows nothing")
	}
	s.edit(t, "last")
	s.Up(t, s.dir)
	if _, body := s.Get(t, url); body != "last \n" {
		t.Errorf("at the end the app says %q", body)
	}
}

// interruptUp runs `up production` and presses Ctrl-C after a while.
func (s *shop) interruptUp(t *testing.T, after time.Duration) (status int, said string) {
	t.Helper()
	cmd := s.Command(t.Context(), s.dir, "up", "production")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	press := time.AfterFunc(after, func() { _ = cmd.Process.Signal(syscall.SIGINT) })
	defer press.Stop()
	_ = cmd.Wait() // its status is looked at
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGINT {
		return 130, out.String() // before it could catch the signal: a shell says 130 too
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// nothingLeft says what a deploy that ended has left behind.
func (s *shop) nothingLeft() error {
	for _, pattern := range []string{"deploy/builds/*", "artifacts/tmp/*"} {
		if left, _ := filepath.Glob(filepath.Join(s.Home, pattern)); len(left) > 0 {
			return fmt.Errorf("left behind: %v", left)
		}
	}
	if trees, _ := filepath.Glob(filepath.Join(s.Home, "local/trees/shop/production/*")); len(trees) != 1 {
		return fmt.Errorf("there are the trees %v", trees)
	}
	if private, _ := os.ReadDir(filepath.Join(s.Home, "local/instances/shop/production")); len(private) != 1 {
		return fmt.Errorf("there are the private directories of %d instances", len(private))
	}
	out, errs, err := s.Run(s.dir, "releases", "--stage", "production")
	if err != nil || strings.Contains(out, "pending") {
		return fmt.Errorf("releases: %w\n%s%s", err, out, errs)
	}
	return nil
}
