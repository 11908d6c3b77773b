package function_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine/chaos"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/route"
)

// TestNoRequestIsLost switches between pools while requests come in.
func TestNoRequestIsLost(t *testing.T) {
	e := process.New("")
	options := web(e, enginetest.Child("listen", "tcp4:$PORT")...)
	p, g := start(t, options)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var done atomic.Int64
	for i := range 8 {
		path := "/"
		if i%4 == 0 {
			path = "/slow?30ms"
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := get(t.Context(), g, path); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	for i := range 10 {
		next := options
		next.Release = i + 2
		q := function.NewPool(next)
		if err := q.Start(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		g.Use(q)
		old := p
		wg.Go(func() { old.Stop(t.Context()) })
		p = q
	}
	cancel()
	wg.Wait()
	p.Kill()
	t.Logf("%d requests", done.Load())
}

// TestChaos lets starts fail and instances die all the time: each request ends in time, some well and some not.
func TestChaos(t *testing.T) {
	e := chaos.New(process.New(""), chaos.Options{Seed: 7, FailStart: 0.3, Die: 0.9, Life: time.Second})
	options := web(e, enginetest.Child("listen", "tcp4:$PORT")...)
	options.Function.Instances = 2
	p, g := function.NewPool(options), function.NewGate()
	g.Use(p)
	p.Supervise()
	defer p.Kill()
	var good, bad atomic.Int64
	both := func() bool { return good.Load() > 0 && bad.Load() > 0 }
	begin, end := time.Now().Add(2*time.Second), time.Now().Add(30*time.Second)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for now := time.Now(); now.Before(begin) || !both() && now.Before(end); now = time.Now() {
				one, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				answer, err := get(one, g, "/slow?5ms")
				cancel()
				_, coded := errors.AsType[*route.Unavailable](err)
				switch {
				case err == nil && answer == "slow":
					good.Add(1)
				case err == nil:
					t.Errorf("the answer is %q", answer)
				case coded, errors.Is(err, context.DeadlineExceeded), isBroken(err):
					bad.Add(1)
				default:
					t.Errorf("error %v", err)
				}
			}
		})
	}
	wg.Wait()
	if !both() {
		t.Errorf("%d good, %d bad: both should be seen", good.Load(), bad.Load())
	}
}

// isBroken reports whether a connection ended with its instance.
func isBroken(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

func BenchmarkAcquire(b *testing.B) {
	p, g := function.NewPool(web(process.New(""), enginetest.Child("listen", "tcp4:$PORT")...)), function.NewGate()
	if err := p.Start(b.Context(), func() {}); err != nil {
		b.Fatal(err)
	}
	defer p.Kill()
	g.Use(p)
	b.ReportAllocs()
	for b.Loop() {
		u, err := g.Acquire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		u.End()
	}
}
