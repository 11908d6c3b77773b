package upstream_test

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aloft-run/aloft/internal/upstream"
)

func piped(context.Context) (net.Conn, error) {
	one, _ := net.Pipe()
	return one, nil
}

func TestWhoSleepsTakesNoRequest(t *testing.T) {
	u := upstream.New("web.1", piped)
	if !u.Begin() {
		t.Fatal("it does not begin")
	}
	if u.Sleep() {
		t.Error("it sleeps though a request is in flight")
	}
	if !u.Begin() {
		t.Error("it takes no request though it does not sleep")
	}
	u.End()
	c, err := u.Fresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Keep()
	u.End()
	if !u.Sleep() || u.Begin() || u.InFlight() != 0 {
		t.Error("it does not sleep")
	}
	u.Wake()
	if u.Kept() != nil {
		t.Error("a connection of before its sleep is used again")
	}
	if !u.Begin() || !u.Used() {
		t.Error("it does not wake")
	}
	u.End()
	if u.Used(); u.Used() {
		t.Error("it is used though nothing happened")
	}
}

func TestTheLimitIsNeverExceeded(t *testing.T) {
	const limit, rounds = 1, 20_000
	u := upstream.New("web.1", piped)
	u.Limit = limit
	var step, taken atomic.Int64
	meet := func(n int64) { // returns once both were here n times
		step.Add(1)
		for spins := 1; step.Load() < 2*n; spins++ {
			if spins%10_000 == 0 { // the other one may not have a processor
				runtime.Gosched()
			}
		}
	}
	var wg sync.WaitGroup
	for range 2 { // they begin in the same moment, again and again
		wg.Go(func() {
			for round := range int64(rounds) {
				meet(3*round + 1)
				begun := u.Begin()
				if begun {
					taken.Add(1)
				}
				meet(3*round + 2)
				if begun {
					u.End()
				}
				meet(3*round + 3)
			}
		})
	}
	wg.Wait()
	if taken.Load() != rounds || u.InFlight() != 0 {
		t.Errorf("%d of %d requests that came in pairs were taken, one of each pair should be", taken.Load(), 2*rounds)
	}
	for range limit {
		if !u.Begin() {
			t.Error("room for less than the limit")
		}
	}
	if u.Begin() {
		t.Error("room for more than the limit")
	}
}
