package hostile_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway"
)

// needFiles skips a test that this process may not open enough files for. A server has the same limit, and gets it from
// the shell: `ulimit -Hn`.
func needFiles(t *testing.T, n int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	want := uint64(n) + 500
	if limit.Cur >= want {
		return
	}
	more := syscall.Rlimit{Cur: want, Max: max(want, limit.Max)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more); err != nil {
		t.Skipf("it needs %d open files, %d are allowed (%v): raise the limit with ulimit -n", want, limit.Cur, err)
	}
}

// unbounded is a server that lets its clients do what they like.
const unbounded = "unbounded"

func noLimits() gateway.Limits {
	l := gateway.DefaultLimits()
	l.HeaderTime, l.Conns, l.Waiting, l.ClientConns, l.SlowReaders = time.Hour, 1<<30, 1<<30, 1<<30, 1<<30
	l.Talk = 1 << 30
	l.Proxy.Stall, l.Proxy.MinRate, l.Proxy.Splices = time.Hour, 1, 1<<20
	return l
}
