package function_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/route"
)

func unavailable(t *testing.T, err error) *route.Unavailable {
	t.Helper()
	u, ok := errors.AsType[*route.Unavailable](err)
	if !ok {
		t.Fatalf("not unavailable but %v", err)
	}
	return u
}

func TestWaitingAtTheGateIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := function.NewGate()
		start := time.Now()
		_, err := g.Acquire(t.Context())
		if u := unavailable(t, err); time.Since(start) != function.WaitLimit || u.Reason != "starting" || u.RetryAfter < time.Second {
			t.Errorf("after %s: %+v", time.Since(start), u)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller who gives up gets %v", err)
		}

		var wg sync.WaitGroup
		for range function.MaxWaiters {
			wg.Go(func() { _, _ = g.Acquire(t.Context()) })
		}
		synctest.Wait()
		start = time.Now()
		_, err = g.Acquire(t.Context())
		if u := unavailable(t, err); time.Since(start) != 0 || u.RetryAfter == 0 {
			t.Errorf("one too many: after %s: %+v", time.Since(start), u)
		}
		g.Close("stopped")
		_, err = g.Acquire(t.Context())
		if u := unavailable(t, err); u.Reason != "stopped" {
			t.Errorf("closed: %+v", u)
		}
		wg.Wait()
		if time.Since(start) != 0 {
			t.Error("those who waited were not told at once")
		}
	})
}

func TestNobodyWaitsInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(int) (*fakeBox, error) { return nil, aloft.Errorf(aloft.Failed, "no luck") }}
		p, g := function.NewPool(web(e)), function.NewGate()
		g.Use(p)
		p.Supervise()
		defer p.Kill()
		time.Sleep(3 * time.Minute) // by now the pauses are far longer than the limit
		start := time.Now()
		_, err := g.Acquire(t.Context())
		if u := unavailable(t, err); time.Since(start) > function.WaitLimit || u.RetryAfter < time.Second || u.Reason != "crashed: no luck" {
			t.Errorf("after %s: %+v", time.Since(start), u)
		}
	})
}

func TestThereIsHopeWhileOneStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(n int) (*fakeBox, error) {
			if n == 0 {
				return &fakeBox{silent: true}, nil
			}
			return nil, aloft.Errorf(aloft.Failed, "no luck")
		}}
		options := web(e)
		options.Function.Instances, options.Function.BootTimeout = 2, aloft.Duration(time.Hour)
		p, g := function.NewPool(options), function.NewGate()
		g.Use(p)
		go p.Supervise()
		defer p.Kill()
		time.Sleep(5 * time.Minute)
		start := time.Now()
		_, err := g.Acquire(t.Context())
		if u := unavailable(t, err); time.Since(start) != function.WaitLimit || u.Reason != "starting" {
			t.Errorf("after %s: %+v", time.Since(start), u)
		}
	})
}

func TestRequestsWaitForARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(n int) (*fakeBox, error) {
			if n == 0 {
				return &fakeBox{life: time.Minute}, nil
			}
			return &fakeBox{}, nil
		}}
		p, g := function.NewPool(web(e)), function.NewGate()
		if err := p.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		g.Use(p)
		time.Sleep(time.Minute + time.Millisecond)
		u, err := g.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u.End()
	})
}

func TestHeldRequestsPassLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{}, nil }}
		p, g := function.NewPool(web(e)), function.NewGate()
		if err := p.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		g.Use(p)
		g.Hold("replaced")
		time.AfterFunc(9*time.Second, g.Release)
		start := time.Now()
		u, err := g.Acquire(t.Context())
		if err != nil || time.Since(start) != 9*time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		u.End()
	})
}

func TestTheLeastBusyInstanceIsChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{}, nil }})
		options.Function.Instances = 3
		p, g := function.NewPool(options), function.NewGate()
		if err := p.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		g.Use(p)
		for range 9 {
			if _, err := g.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range p.Instances() {
			if i.InFlight != 3 {
				t.Errorf("%s has %d of 9 requests", i.ID, i.InFlight)
			}
		}
	})
}
