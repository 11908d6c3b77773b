package function_test

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

func TestCrashesAreFollowedByLongerAndLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(n int) (*fakeBox, error) {
			if n == 12 {
				return &fakeBox{life: 2 * time.Minute}, nil // this one runs well
			}
			return nil, aloft.Errorf(aloft.Failed, "no luck")
		}}
		p := function.NewPool(web(e))
		p.Supervise()
		time.Sleep(2 * time.Hour)
		p.Kill()
		want := time.Second
		for i := 1; i <= 12; i++ {
			got := e.starts[i].Sub(e.starts[i-1])
			if got < want*8/10 || got > want*12/10 {
				t.Errorf("pause %d is %s, want %s give or take a fifth", i, got, want)
			}
			want = min(2*want, 5*time.Minute)
		}
		if got := e.starts[13].Sub(e.starts[12]) - 2*time.Minute; got > 2*time.Second {
			t.Errorf("the pause after it ran well is %s, want a second", got)
		}
	})
}

func TestStatusTellsTheCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{life: time.Minute}, nil }}
		p := function.NewPool(web(e))
		if err := p.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		if i := p.Instances()[0]; i.State != aloft.Ready || i.Listen != "127.0.0.1:3000" || i.PID == 0 || i.ID == "" {
			t.Errorf("ready: %+v", i)
		}
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		if i := p.Instances()[0]; i.State != aloft.Crashed || i.Reason != "exit status 1; starts again in 1s" || i.PID != 0 {
			t.Errorf("crashed: %+v", i)
		}
		time.Sleep(2 * time.Second)
		if i := p.Instances()[0]; i.State != aloft.Ready || i.Restarts != 1 || i.Reason != "" {
			t.Errorf("again: %+v", i)
		}
	})
}

func TestDraining(t *testing.T) {
	for _, c := range []struct {
		name               string
		request            time.Duration
		obeysCut, stubborn bool
		term, kill         time.Duration // when which signal comes
	}{
		{name: "a request ends in time", request: 20 * time.Second, term: 20 * time.Second},
		{name: "a stream is cut and says goodbye", request: time.Hour, obeysCut: true, term: 30 * time.Second},
		{name: "a stream does not care", request: time.Hour, term: 31 * time.Second},
		{name: "the program ignores SIGTERM", stubborn: true, kill: 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box := &fakeBox{stubborn: c.stubborn}
				p, g := function.NewPool(web(&fakeEngine{make: func(int) (*fakeBox, error) { return box, nil }})), function.NewGate()
				if err := p.Start(t.Context(), func() {}); err != nil {
					t.Fatal(err)
				}
				g.Use(p)
				u, err := g.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					timer := time.NewTimer(c.request)
					defer timer.Stop()
					cut := u.Cutting()
					if !c.obeysCut {
						cut = nil
					}
					select {
					case <-timer.C:
					case <-cut:
					}
					u.End()
				}()
				start := time.Now()
				p.Stop(t.Context())
				if at, ok := box.signaled(syscall.SIGTERM); !ok || at.Sub(start) != c.term {
					t.Errorf("SIGTERM after %s (%v), want %s", at.Sub(start), ok, c.term)
				}
				if at, _ := box.signaled(syscall.SIGKILL); c.stubborn && at.Sub(start) != c.kill {
					t.Errorf("SIGKILL after %s, want %s", at.Sub(start), c.kill)
				}
				if u.Begin() {
					t.Error("it takes requests after its end")
				}
				time.Sleep(2 * time.Hour) // the stream ends
			})
		})
	}
}

func TestStopInAHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := function.NewPool(web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{stubborn: true}, nil }})), function.NewGate()
		if err := p.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		g.Use(p)
		if _, err := g.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		p.Stop(ctx)
		if took := time.Since(start); took > 7*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestBootTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := web(&fakeEngine{make: func(int) (*fakeBox, error) { return &fakeBox{silent: true}, nil }})
		start := time.Now()
		err := function.NewPool(options).Start(t.Context(), func() {})
		if aloft.ErrorCode(err) != aloft.Failed || time.Since(start) != time.Minute {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		options.Function.BootTimeout = aloft.Duration(2 * time.Second)
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = function.NewPool(options).Start(ctx, func() {})
		if aloft.ErrorCode(err) != aloft.Canceled || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}
