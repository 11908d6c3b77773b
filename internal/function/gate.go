package function

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

var _ route.Backend = (*Gate)(nil)

// The bounds of waiting at a gate.
const (
	WaitLimit  = 10 * time.Second // how long a request waits for an instance
	MaxWaiters = 1000             // how many wait at once, unless the function says otherwise
)

// Gate leads the requests of a stage to the ready instances of one pool after another. Because it stays while pools come
// and go, no request can reach for a pool that has just gone. Requests that find no instance with room wait in a queue,
// first come, first served.
type Gate struct {
	ready   atomic.Pointer[choice] // nil if none is ready
	waiting atomic.Int64           // len of queue: whoever comes while others wait goes behind them

	mu     sync.Mutex
	pool   *Pool
	view   view
	held   string    // why requests wait though instances are ready; "" if they do not
	closed string    // why none is let in; "" if open
	queue  list.List // of *waiter
}

// choice is what requests choose from.
type choice struct {
	list   []*upstream.Upstream
	target int    // requests in flight on the least busy one, beyond which more instances are asked for; 0 means never
	press  func() // asks for them
}

// NewGate returns an open Gate without a pool: requests wait.
func NewGate() *Gate { return &Gate{view: view{reason: "starting", queue: MaxWaiters}} }

// Acquire implements route.Backend: it takes the instance with the fewest requests in flight. It waits up to WaitLimit
// while there is hope for one, and returns a *route.Unavailable without. If ctx ends first, it returns its error.
func (g *Gate) Acquire(ctx context.Context) (*upstream.Upstream, error) {
	if from := g.ready.Load(); from != nil && g.waiting.Load() == 0 {
		if u := pick(from.list); u.Begin() {
			if from.target > 0 && u.InFlight() > from.target {
				from.press()
			}
			return u, nil
		}
	}
	return g.wait(ctx)
}

func pick(list []*upstream.Upstream) *upstream.Upstream {
	best := list[0]
	for _, u := range list[1:] {
		if u.InFlight() < best.InFlight() {
			best = u
		}
	}
	return best
}

// wait queues until there is an instance with room.
func (g *Gate) wait(ctx context.Context) (*upstream.Upstream, error) {
	w, err := g.enter()
	if err != nil {
		return nil, err
	}
	limit := time.NewTimer(WaitLimit)
	defer limit.Stop()
	select {
	case o := <-w.outcome:
		return o.up, o.err
	case <-limit.C:
		if g.leave(w) {
			return nil, g.unavailable()
		}
		o := <-w.outcome
		return o.up, o.err
	case <-ctx.Done():
		if !g.leave(w) {
			if o := <-w.outcome; o.up != nil {
				o.up.End()
			}
		}
		return nil, fmt.Errorf("wait for an instance: %w", ctx.Err())
	}
}

// enter queues a request, unless there is no hope for it.
func (g *Gate) enter() (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed != "":
		return nil, &route.Unavailable{Reason: g.closed}
	case g.lost():
		return nil, g.hopeless() // waiting would be in vain
	}
	w := g.push()
	g.serve() // there may be room by now; who ended before the line above did not see us wait
	if g.queue.Len() > g.view.queue && g.remove(w) {
		return nil, &route.Unavailable{Reason: "too many requests wait for an instance", RetryAfter: time.Second}
	}
	if g.pool != nil && w.at != nil {
		g.pool.press()
	}
	return w, nil
}

// leave takes a request out of the queue. It reports false if its outcome is there already.
func (g *Gate) leave(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.remove(w)
}

func (g *Gate) unavailable() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hopeless()
}

// lost reports whether waiting is in vain. The caller holds g.mu.
func (g *Gate) lost() bool {
	return g.held == "" && len(g.view.ready) == 0 && time.Until(g.view.retryAt) > WaitLimit
}

// hopeless says why no instance takes a request. The caller holds g.mu.
func (g *Gate) hopeless() error {
	reason := g.view.reason
	switch {
	case g.held != "":
		reason = g.held
	case len(g.view.ready) > 0:
		reason = "all instances are busy"
	}
	return &route.Unavailable{Reason: reason, RetryAfter: max(time.Second, time.Until(g.view.retryAt))}
}

// Use leads requests to the instances of p from now on, opens the gate if it was closed, and lets requests pass that were
// held. The pool before is no longer reached when it returns, and may be stopped.
func (g *Gate) Use(p *Pool) {
	g.mu.Lock()
	g.pool, g.held, g.closed = p, "", ""
	g.view = view{reason: "starting", queue: MaxWaiters}
	g.mu.Unlock()
	p.attach(g)
}

// Hold makes requests wait, though instances are ready, until Release or Use.
func (g *Gate) Hold(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = reason
	g.apply()
}

// Release lets requests pass that were held.
func (g *Gate) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = ""
	g.apply()
}

// Close refuses all requests, those too that wait, until Use.
func (g *Gate) Close(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = reason
	g.apply()
}

// update takes a new view of a pool, if it is the one in use.
func (g *Gate) update(p *Pool, v view) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pool != p {
		return
	}
	g.view = v
	g.apply()
}

// apply makes the fields known to those who do not lock, and to those who wait. The caller holds g.mu.
func (g *Gate) apply() {
	var from *choice
	if g.held == "" && g.closed == "" && len(g.view.ready) > 0 {
		from = &choice{list: g.view.ready, target: g.view.target}
		if from.target > 0 {
			from.press = g.pool.press
		}
	}
	g.ready.Store(from)
	switch {
	case g.closed != "":
		g.refuse(&route.Unavailable{Reason: g.closed})
	case g.lost():
		g.refuse(g.hopeless())
	default:
		g.serve()
	}
}
