package hostile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// upgradeKilled kills the server that is replaced, or the one that replaces it, at random moments. Whatever the upgrade
// came to, what was acknowledged is there, the next command finds or starts a server, and nothing of the killed one runs on.
func upgradeKilled(t *testing.T, one, two string, level string) {
	t.Helper()
	s := installed(t, one, "")
	s.Env = append(s.Env, "ALOFT_ISOLATION="+level)
	s.background(t)
	rounds := 6
	switch {
	case full():
		rounds = 60
	case testing.Short():
		rounds = 2
	}
	random := rand.New(rand.NewPCG(8, 8))
	done := 0
	for i := range rounds {
		version := "killed-" + strconv.Itoa(i)
		s.edit(t, version)
		s.Up(t, s.dir)
		before := s.servers(t)
		if len(before) != 1 {
			t.Fatalf("servers before round %d: %v", i, before)
		}
		victim := func(pid int) bool { return pid == before[0] }
		if i%2 == 1 {
			victim = func(pid int) bool { return pid != before[0] }
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, said, err := s.Run(s.dir, "upgrade", "--self", []string{two, one}[i%2], "--yes"); err == nil {
				done++
			} else if strings.Contains(said, "goroutine ") {
				t.Errorf("upgrade: %s", said)
			}
		})
		time.Sleep(time.Duration(random.IntN(900)) * time.Millisecond) // the moment is the case
		for _, pid := range s.servers(t) {
			if victim(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		wg.Wait()
		var releases []release
		s.Must(t, &releases, s.dir, "releases", "--stage", "production", "--json", "--limit", "1000")
		if len(releases) != i+1 {
			t.Errorf("round %d: %d releases", i, len(releases))
		}
		if status, body := s.Get(t, url); status != 200 || body != version+" \n" {
			t.Errorf("round %d: %d %q", i, status, body)
		}
		aloftest.Eventually(t, time.Minute, func() error {
			if left := s.servers(t); len(left) != 1 {
				return fmt.Errorf("servers %v", left)
			}
			if apps := s.apps(t); len(apps) != 1 {
				return fmt.Errorf("apps %v", apps)
			}
			return nil
		})
	}
	t.Logf("level %s: %d upgrades with a kill at a random moment, %d went through", level, rounds, done)
}

// servers are the processes that serve this home.
func (s *shop) servers(t *testing.T) []int {
	t.Helper()
	return processes(t, func(pid int, args []string) bool {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		return len(args) > 1 && args[1] == "serve" && strings.Contains(string(env), "ALOFT_HOME="+s.Home+"\x00")
	})
}

// apps are the processes of the app: its version names them.
func (s *shop) apps(t *testing.T) []int {
	t.Helper()
	return processes(t, func(_ int, args []string) bool {
		return len(args) == 3 && args[1] == "hostile-app" && strings.HasPrefix(args[2], "killed-")
	})
}

func processes(t *testing.T, match func(pid int, args []string) bool) []int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range paths {
		line, _ := os.ReadFile(path) // it may have ended
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if match(pid, strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")) {
			found = append(found, pid)
		}
	}
	return found
}
