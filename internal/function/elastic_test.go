package function_test

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/upstream"
)

// elastic starts a pool of fake instances behind a gate.
func elastic(t *testing.T, f aloft.Function, make func(int) (*fakeBox, error)) (*function.Pool, *function.Gate, *fakeEngine) {
	t.Helper()
	if make == nil {
		make = func(int) (*fakeBox, error) { return &fakeBox{}, nil }
	}
	e := &fakeEngine{make: make, own: true}
	options := web(e)
	f.Name, f.Kind = "web", aloft.Web
	options.Function = f
	p, g := start(t, options)
	return p, g, e
}

func count(p *function.Pool, state aloft.InstanceState) int {
	n := 0
	for _, i := range p.Instances() {
		if i.State == state {
			n++
		}
	}
	return n
}

func acquire(t *testing.T, g *function.Gate) *upstream.Upstream {
	t.Helper()
	u, err := g.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBeyondTheHardLimitRequestsWaitInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g, _ := elastic(t, aloft.Function{Concurrency: 2, Queue: 3}, nil)
		first, second := acquire(t, g), acquire(t, g)
		served := make(chan int, 3)
		var wg sync.WaitGroup
		for n := range 3 {
			wg.Go(func() {
				u, err := g.Acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if u.InFlight() > 2 {
					t.Errorf("%d requests at once", u.InFlight())
				}
				served <- n
				time.Sleep(time.Second)
				u.End()
			})
			synctest.Wait()
		}
		_, err := g.Acquire(t.Context())
		if u := unavailable(t, err); u.RetryAfter <= 0 || u.Reason != "too many requests wait for an instance" {
			t.Errorf("one too many: %+v", u)
		}
		start := time.Now()
		first.End()
		if n := <-served; n != 0 || time.Since(start) != 0 {
			t.Errorf("request %d was served first, after %s", n, time.Since(start))
		}
		second.End()
		if one, two := <-served, <-served; one != 1 || two != 2 {
			t.Errorf("then %d, %d", one, two)
		}
		wg.Wait()
	})
}

func TestWhoLeavesTheLineMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g, _ := elastic(t, aloft.Function{Concurrency: 1, Queue: 1}, nil)
		busy := acquire(t, g)
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := g.Acquire(ctx); left <- err }()
		synctest.Wait()
		start := time.Now()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		go func() { time.Sleep(time.Second); busy.End() }()
		acquire(t, g).End() // the place in line is free, and so is the instance in a second
		if time.Since(start) != time.Second {
			t.Errorf("served after %s", time.Since(start))
		}
		busy = acquire(t, g)
		start = time.Now()
		_, err := g.Acquire(t.Context())
		if u := unavailable(t, err); time.Since(start) != function.WaitLimit || u.Reason != "all instances are busy" {
			t.Errorf("after %s: %+v", time.Since(start), u)
		}
		busy.End()
	})
}

func TestInstancesFollowTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g, _ := elastic(t, aloft.Function{Max: 5, Concurrency: 4, Target: 2}, nil)
		var all []*upstream.Upstream
		for range 20 {
			all = append(all, acquire(t, g))
		}
		time.Sleep(time.Second)
		if n := count(p, aloft.Ready); n != 5 {
			t.Fatalf("%d instances for 20 requests, want 5", n)
		}
		for _, u := range all[4:] {
			u.End()
		}
		time.Sleep(50 * time.Second)
		if n := count(p, aloft.Ready); n != 5 {
			t.Errorf("%d instances a moment after the burst, want 5", n)
		}
		time.Sleep(2 * time.Minute) // 4 requests still: two instances
		if n := count(p, aloft.Ready) + count(p, aloft.Draining); n < 2 || count(p, aloft.Ready) != 2 {
			t.Errorf("%d instances for 4 requests, %d ready, want 2", n, count(p, aloft.Ready))
		}
		for _, u := range all[:4] {
			u.End()
		}
		time.Sleep(5 * time.Minute)
		if got := p.Instances(); len(got) != 1 || got[0].State != aloft.Ready {
			t.Errorf("without requests there are %+v", got)
		}
	})
}

func TestScaleDownDropsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g, _ := elastic(t, aloft.Function{Max: 2, Target: 1, DrainTimeout: aloft.Duration(time.Hour)}, nil)
		one, two := acquire(t, g), acquire(t, g)
		time.Sleep(time.Second)
		three := acquire(t, g) // on the new one
		one.End()
		two.End()
		time.Sleep(10 * time.Minute)
		select {
		case <-three.Cutting():
			t.Error("a request was cut by a scale-down")
		default:
		}
		three.End()
		time.Sleep(10 * time.Minute)
		if n := len(p.Instances()); n != 1 {
			t.Errorf("%d instances", n)
		}
	})
}

func TestAFunctionThatNobodyAsksEndsAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g, e := elastic(t, aloft.Function{Instances: 2, Idle: aloft.Duration(15 * time.Minute)}, nil)
		for range 3 {
			time.Sleep(14 * time.Minute)
			if n := count(p, aloft.Ready) + count(p, aloft.Frozen); n != 2 {
				t.Fatalf("%d instances before the idle time is over", n)
			}
			acquire(t, g).End()
		}
		time.Sleep(16 * time.Minute)
		if got := p.Instances(); len(got) != 1 || got[0].State != aloft.Idle || got[0].PID != 0 || got[0].Function != "web" {
			t.Fatalf("idle: %+v", got)
		}
		starts := e.started()
		time.Sleep(100 * time.Hour)
		if e.started() != starts {
			t.Error("it starts without a request")
		}
		start := time.Now()
		acquire(t, g).End()
		if took := time.Since(start); took > time.Second || e.started() == starts {
			t.Errorf("the next request took %s, %d starts", took, e.started()-starts)
		}
		time.Sleep(16 * time.Minute)
		if count(p, aloft.Idle) != 1 {
			t.Errorf("it does not end again: %+v", p.Instances())
		}
		stop := time.Now()
		p.Stop(t.Context())
		if time.Since(stop) != 0 {
			t.Errorf("the end of nothing took %s", time.Since(stop))
		}
	})
}

func TestScaleUpsThatFailAreNoHotLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g, e := elastic(t, aloft.Function{Max: 100, Target: 1}, func(n int) (*fakeBox, error) {
			if n == 0 {
				return &fakeBox{}, nil
			}
			return nil, aloft.Errorf(aloft.Failed, "no luck")
		})
		for range 50 {
			acquire(t, g)
		}
		for range 600 {
			time.Sleep(time.Second)
			acquire(t, g) // presses again and again
		}
		if n := e.started(); n < 4 || n > 8*12 {
			t.Errorf("%d starts in ten minutes", n)
		}
		if count(p, aloft.Ready) != 1 {
			t.Errorf("%+v", p.Instances())
		}
	})
}

func TestFreezeAndThaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &fakeBox{fixed: 8080} // the PORT of who has a network of its own
		p, g, _ := elastic(t, aloft.Function{Idle: aloft.Duration(time.Hour)}, func(int) (*fakeBox, error) { return box, nil })
		u := acquire(t, g)
		time.Sleep(10 * time.Minute) // an upgraded connection, say
		if box.isFrozen() || count(p, aloft.Ready) != 1 {
			t.Fatal("frozen with a request in flight")
		}
		u.End()
		time.Sleep(time.Minute)
		if !box.isFrozen() || count(p, aloft.Frozen) != 1 {
			t.Fatalf("not frozen: %+v", p.Instances())
		}
		for range 3 {
			u = acquire(t, g)
			if box.isFrozen() || count(p, aloft.Ready) != 1 {
				t.Fatal("a request was handed to a frozen instance")
			}
			u.End()
			time.Sleep(time.Minute)
			if !box.isFrozen() {
				t.Fatal("not frozen again")
			}
		}
		p.Stop(t.Context())
		if _, termed := box.signaled(syscall.SIGTERM); box.isFrozen() || !termed {
			t.Error("it was not thawed for its end")
		}
	})
}

func TestAHangResetsTheInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var boxes []*fakeBox
		p, g, _ := elastic(t, aloft.Function{Timeout: aloft.Duration(10 * time.Second)}, func(int) (*fakeBox, error) {
			boxes = append(boxes, &fakeBox{})
			return boxes[len(boxes)-1], nil
		})
		begun := time.Now()
		u := acquire(t, g)
		time.Sleep(5 * time.Second)
		u.Answered()
		time.Sleep(5 * time.Second)
		u.TimedOut(begun)
		synctest.Wait()
		if _, killed := boxes[0].signaled(syscall.SIGKILL); killed {
			t.Fatal("one slow request among others is no hang")
		}
		begun = time.Now()
		time.Sleep(10 * time.Second)
		u.TimedOut(begun)
		u.TimedOut(begun)
		synctest.Wait()
		if _, killed := boxes[0].signaled(syscall.SIGKILL); !killed || count(p, aloft.Crashed) != 1 {
			t.Fatalf("it hangs on: %+v", p.Instances())
		}
		if next := acquire(t, g); next == u || len(boxes) != 2 {
			t.Error("it was not replaced")
		}
	})
}
