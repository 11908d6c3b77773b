package hostile_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pid is the server's.
func (s *shop) pid(t *testing.T) string {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(s.Home, "server.lock"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(pid))
}

// cpu is the processor time that the server has used so far.
func (s *shop) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", s.pid(t), "stat"))
	if err != nil {
		t.Skipf("needs Linux's /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	const tick = 10 * time.Millisecond // of Linux on all that Go runs on
	return time.Duration(user+system) * tick
}

// busy is the share of one processor that the server uses within a while.
func (s *shop) busy(t *testing.T, while time.Duration) float64 {
	t.Helper()
	before, begun := s.cpu(t), time.Now()
	<-time.After(while)
	return float64(s.cpu(t)-before) / float64(time.Since(begun))
}

// readFile returns what a file of /proc says, "" if there is none.
func readFile(name string) string {
	text, _ := os.ReadFile(name)
	return string(text)
}
