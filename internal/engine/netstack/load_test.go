//go:build linux

package netstack_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// TestTransfer sends 64 MB there and back, and the end of sending before the last byte has come back.
func TestTransfer(t *testing.T) {
	e := newEngine(t)
	for _, r := range run(t, e, engine.Network{}, "send", echo, strconv.Itoa(64<<20)) {
		if t.Log(r.What, r.Answer); r.Err != "" {
			t.Errorf("%s: %s", r.What, r.Err)
		}
	}
}

func TestDatagrams(t *testing.T) {
	e := newEngine(t)
	for _, r := range run(t, e, engine.Network{}, "datagrams", echo) {
		if r.Err != "" {
			t.Errorf("%s: %s", r.What, r.Err)
		}
	}
}

// TestManyFlows has more flows of datagrams than one tenant may have: those that were silent longest make room.
func TestManyFlows(t *testing.T) {
	e := newEngine(t)
	before := snapshot()
	_, out := begin(t, e, engine.Network{}, "flows", echo, "700")
	out.Await(t, "700 flows\n")
	const most, others = 512, 20 // the sandbox has descriptors too
	eventually(t, "the end of the oldest flows", func() bool { return snapshot().files <= before.files+most+others })
	if now := snapshot(); now.files < before.files+most {
		t.Errorf("%d descriptors with 512 flows, %d without: the test does not see them", now.files, before.files)
	}
}

func TestManyConnections(t *testing.T) {
	e := newEngine(t)
	for i, r := range run(t, e, engine.Network{}, "many", echo, "400") {
		if r.Err != "" || r.Answer != strconv.Itoa(i) {
			t.Errorf("%s: %q, %s", r.What, r.Answer, r.Err)
		}
	}
}

// TestTooManyConnections opens more than one tenant may have: the rest is refused at once, and another tenant has its own.
func TestTooManyConnections(t *testing.T) {
	e := newEngine(t)
	const most = 512
	answered, refused := 0, 0
	for _, r := range run(t, e, engine.Network{}, "many", echo, strconv.Itoa(most+100)) {
		switch {
		case r.Err == "":
			answered++
		case strings.Contains(r.Err, "refused"):
			refused++
		default:
			t.Errorf("%s: %s", r.What, r.Err)
		}
	}
	if answered != most || refused != 100 {
		t.Errorf("%d of %d were answered, %d refused", answered, most+100, refused)
	}
	if r := run(t, e, engine.Network{}, "many", echo, "1")[0]; r.Err != "" {
		t.Errorf("another tenant: %s", r.Err)
	}
}

// TestReset looks whether a connection that is reset out there is reset here, and does not end as if all was well.
func TestReset(t *testing.T) {
	e := newEngine(t)
	if r := run(t, e, engine.Network{}, "send", reset, "1")[0]; !strings.Contains(r.Err, "reset") {
		t.Errorf("%s: %q", r.What, r.Err)
	}
}

// TestNothingIsLeft kills tenants that have connections of both kinds.
func TestNothingIsLeft(t *testing.T) {
	e := newEngine(t)
	run(t, e, engine.Network{}, "send", echo, "1") // what is made once is there from here on
	before := snapshot()
	for _, c := range []struct {
		said string
		args []string
		more int // descriptors
	}{
		{"held 40\n", []string{"hold", echo, "20"}, 40},
		{"stuck\n", []string{"stuck", echo, away}, 5},
		{"held 40\n", []string{"hold", echo, "20"}, 40},
	} {
		s, out := begin(t, e, engine.Network{}, c.args...)
		out.Await(t, c.said)
		if during := snapshot(); during.files < before.files+c.more {
			t.Errorf("%v: %d descriptors, %d without: the test does not see them", c.args, during.files, before.files)
		}
		if err := s.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.Done():
		case <-time.After(patience):
			t.Fatalf("%v: the sandbox does not end", c.args)
		}
	}
	eventually(t, "the end of what tenants had", func() bool {
		after := snapshot()
		return after.files <= before.files && after.goroutines <= before.goroutines
	})
}

// counts are what this process has open and running.
type counts struct{ files, goroutines int }

func snapshot() counts {
	files, _ := os.ReadDir("/proc/self/fd")
	return counts{len(files), runtime.NumGoroutine()}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: not in time; now %+v\n%s", what, snapshot(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}
