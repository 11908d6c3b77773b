package function_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

// elastic is a function with fake instances that scale as told.
func elastic(t *testing.T, change func(*aloft.Function)) (*function.Pool, *function.Gate) {
	t.Helper()
	options := web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{}, nil }}, "app")
	change(&options.Function)
	return start(t, options)
}

func acquire(t *testing.T, g *function.Gate) *upstream.Upstream {
	t.Helper()
	u, err := g.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// running counts instances in a state.
func running(p *function.Pool, state aloft.InstanceState) int {
	n := 0
	for _, i := range p.Instances() {
		if i.State == state {
			n++
		}
	}
	return n
}

func TestTooManyAtOnceWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := elastic(t, func(f *aloft.Function) { f.Concurrency = 2; f.Queue = 2 })
		defer p.Kill()
		first, second := acquire(t, g), acquire(t, g)
		order := make(chan int, 2)
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				u := acquire(t, g)
				order <- i
				time.Sleep(time.Second)
				u.End()
			})
			synctest.Wait() // so that they come in this order
		}
		if _, err := g.Acquire(t.Context()); !refused(err) {
			t.Errorf("a request beyond the queue: %v", err)
		}
		select {
		case i := <-order:
			t.Errorf("request %d did not wait", i)
		default:
		}
		first.End()
		if i := <-order; i != 0 {
			t.Errorf("request %d came first", i)
		}
		second.End()
		wg.Wait()
		if g.Waiting() != 0 || p.InFlight() != 0 {
			t.Errorf("%d wait, %d in flight", g.Waiting(), p.InFlight())
		}
	})
}

func refused(err error) bool {
	u, ok := errors.AsType[*route.Unavailable](err)
	return ok && u.RetryAfter > 0
}

func TestWhoLeavesMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := elastic(t, func(f *aloft.Function) { f.Concurrency = 1 })
		defer p.Kill()
		u := acquire(t, g)
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { _, err := g.Acquire(ctx); gone <- err }()
		synctest.Wait()
		served := make(chan struct{})
		go func() { acquire(t, g).End(); close(served) }()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		u.End()
		<-served
		began := time.Now()
		u = acquire(t, g)
		defer u.End()
		if _, err := g.Acquire(t.Context()); !refused(err) || time.Since(began) != function.WaitLimit {
			t.Errorf("a request that waits too long: %v after %s", err, time.Since(began))
		}
	})
}

func TestMoreWhenBusyFewerWhenQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := elastic(t, func(f *aloft.Function) { f.Max = 5; f.Concurrency = 1 })
		defer p.Kill()
		var all []*upstream.Upstream
		for range 5 {
			all = append(all, acquire(t, g))
		}
		synctest.Wait()
		if n := running(p, aloft.Ready); n != 5 {
			t.Errorf("%d instances serve 5 requests", n)
		}
		if _, err := g.Acquire(t.Context()); !refused(err) {
			t.Errorf("more than the most serve: %v", err)
		}
		for _, u := range all[1:] {
			u.End()
		}
		time.Sleep(2 * time.Minute)
		if n := running(p, aloft.Ready); n != 1 && n != 2 { // the one that is busy may not be the first
			t.Errorf("%d instances are left for one request", n)
		}
		all[0].End()
		time.Sleep(2 * time.Minute)
		if n := running(p, aloft.Ready); n != 1 {
			t.Errorf("%d instances are left for none", n)
		}
	})
}

func TestNoneWhenIdleOneWhenNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := elastic(t, func(f *aloft.Function) { f.Idle = aloft.Duration(time.Minute) })
		defer p.Kill()
		held := acquire(t, g)
		time.Sleep(5 * time.Minute)
		if running(p, aloft.Ready) != 1 {
			t.Error("an instance with an open request was ended")
		}
		held.End()
		time.Sleep(3 * time.Minute)
		if got := p.Instances(); len(got) != 1 || got[0].State != aloft.Idle {
			t.Errorf("after a quiet while: %+v", got)
		}
		acquire(t, g).End()
		if running(p, aloft.Ready) != 1 {
			t.Error("no instance runs after a request")
		}
	})
}

func TestBurst(t *testing.T) {
	options := web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...)
	options.Function.Max, options.Function.Concurrency = 20, 2
	p, g := start(t, options)
	var failed, most atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			for range 3 {
				if got, err := get(t.Context(), g, "/slow?100ms"); err != nil || got != "slow" {
					t.Log(got, err)
					failed.Add(1)
				}
				most.Store(max(most.Load(), int64(running(p, aloft.Ready))))
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 || most.Load() < 2 {
		t.Errorf("%d requests failed, %d instances at most", failed.Load(), most.Load())
	}
}

func TestFrozenUntilNeeded(t *testing.T) {
	options := web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...)
	options.Function.Idle = aloft.Duration(2 * time.Second)
	p, g := start(t, options)
	greets(t, g)
	eventually(t, "frozen", func() bool { return running(p, aloft.Frozen) == 1 })
	pid := p.Instances()[0].PID
	greets(t, g)
	if got := p.Instances()[0]; got.PID != pid || got.State == aloft.Frozen {
		t.Errorf("another one answered: %+v, pid %d before", got, pid)
	}
	eventually(t, "ended", func() bool { return running(p, aloft.Idle) == 1 })
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("pid %d: %v", pid, err)
	}
	greets(t, g)
}

func TestWhoHangsIsReplaced(t *testing.T) {
	p, g := start(t, web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...))
	pid := p.Instances()[0].PID
	u := acquire(t, g)
	before := u.Answers()
	u.Answered()
	u.TimedOut(before)
	if p.Instances()[0].PID != pid {
		t.Error("an instance that answered others was ended")
	}
	u.TimedOut(u.Answers())
	u.End()
	eventually(t, "another instance", func() bool { i := p.Instances()[0]; return i.State == aloft.Ready && i.PID != pid })
	greets(t, g)
}
