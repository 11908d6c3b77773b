package function

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

const (
	soon        = time.Millisecond       // between looks at first: a server is noticed a millisecond after it listens
	eager       = 2 * time.Second        // how long that is: longer than an interpreter takes to start
	later       = 10 * time.Millisecond  // between looks at one that takes its time
	settleTime  = 100 * time.Millisecond // for which the instances of a new release must stay ready before they serve
	restTime    = time.Second            // in which it should come to rest besides
	healthPause = 100 * time.Millisecond // between health checks, at most
	healthTime  = 5 * time.Second        // for one answer
	dialTime    = time.Second            // for a connection to a socket of this machine
)

// awaitReady returns where the instance takes requests, nil for a worker, which is ready once it is started. After an
// error the instance may still run.
func (i *instance) awaitReady(ctx context.Context, quit <-chan struct{}) (net.Addr, error) {
	switch {
	case i.session != nil:
		return nil, i.awaitInit(ctx, quit)
	case i.port == 0:
		return nil, nil
	}
	boot := i.pool.Function.BootTimeout.Or(DefaultBootTimeout)
	deadline := time.NewTimer(boot)
	defer deadline.Stop()
	pause, health := soon, ""
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-i.box.Done():
			i.output.flush()
			return nil, i.ended()
		case <-ctx.Done():
			return nil, canceled(ctx)
		case <-quit:
			return nil, aloft.Errorf(aloft.Canceled, "%s was stopped before it was ready", i.pool.Function.Name)
		case <-deadline.C:
			return nil, i.silent(boot, health)
		}
		if addr := i.accepts(ctx); addr != nil {
			if health = i.healthy(ctx, addr); health == "" {
				i.pool.say(i, "ready on %s after %s", show(addr), time.Since(i.startedAt).Round(time.Millisecond))
				return addr, nil
			}
		}
		if time.Since(i.startedAt) > eager {
			pause = min(pause+pause/8, later)
		}
		if health != "" {
			pause = min(2*pause, healthPause)
		}
		look.Reset(pause)
	}
}

// settle sees whether an instance that is ready stays so: some open their port and end a moment later, because a second
// one is taken or the database does not answer. It returns the socket to send requests to by then.
//
// On a machine with much to do a moment is nothing: a program that has not come to rest by then gets some more.
func (i *instance) settle(ctx context.Context, addr net.Addr, atLeast time.Duration) (net.Addr, error) {
	atMost := time.Now().Add(atLeast + restTime)
	for timer := time.NewTimer(atLeast); ; timer.Reset(later) {
		select {
		case <-timer.C:
		case <-i.box.Done():
			timer.Stop()
			i.output.flush()
			return nil, i.ended()
		case <-ctx.Done():
			timer.Stop()
			return nil, canceled(ctx)
		}
		if idler, ok := i.box.(engine.Idler); !ok || idler.Idle() || time.Now().After(atMost) {
			break
		}
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.Port == i.port {
		return addr, nil
	}
	if now := i.accepts(ctx); now != nil && i.healthy(ctx, now) == "" {
		return now, nil
	}
	return addr, nil
}

// accepts returns the socket to send requests to, nil if there is none yet: the assigned port if the instance listens
// there, else what it listens on first.
func (i *instance) accepts(ctx context.Context) net.Addr {
	addrs, err := i.box.Listeners()
	if err != nil || len(addrs) == 0 {
		return nil
	}
	addr := addrs[0]
	for _, a := range addrs {
		if tcp, ok := a.(*net.TCPAddr); ok && tcp.Port == i.port {
			addr = a
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := i.box.Dial(ctx, addr)
	if err != nil {
		return nil
	}
	_ = conn.Close()
	return addr
}

// healthy returns "" if the health check passes or there is none, and otherwise what came of it.
func (i *instance) healthy(ctx context.Context, addr net.Addr) string {
	path := i.pool.Function.HealthPath
	if path == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, http.NoBody)
	if err != nil {
		return err.Error()
	}
	request.Header.Set("User-Agent", "aloft-health")
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return i.box.Dial(ctx, addr) },
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Sprintf("GET %s: %v", path, err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Sprintf("GET %s answers %s", path, answer.Status)
	}
	return ""
}

// retarget watches an instance that listens elsewhere than it was told to, in case it opens the assigned port later: some
// servers open a port for their metrics first.
type retarget struct {
	inst  *instance
	timer *time.Timer // nil if there is nothing to watch
	pause time.Duration
	until time.Time
}

func newRetarget(inst *instance, window time.Duration) *retarget {
	r := &retarget{inst: inst, pause: later, until: time.Now().Add(window)}
	tcp, ok := inst.addr.(*net.TCPAddr)
	if inst.port != 0 && (!ok || tcp.Port != inst.port) {
		r.timer = time.NewTimer(r.pause)
	}
	return r
}

func (r *retarget) due() <-chan time.Time {
	if r.timer == nil {
		return nil
	}
	return r.timer.C
}

// look returns the assigned port's address once the instance takes requests there.
func (r *retarget) look(ctx context.Context) net.Addr {
	addr := r.inst.accepts(ctx)
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.Port == r.inst.port && r.inst.healthy(ctx, addr) == "" {
		r.timer = nil
		return addr
	}
	if time.Now().After(r.until) {
		r.timer = nil
		return nil
	}
	r.pause = min(r.pause+r.pause/4, time.Second)
	r.timer.Reset(r.pause)
	return nil
}

func (r *retarget) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}
