package function

import (
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
	MaxWaiters = 1000             // how many wait at once
)

// Gate leads the requests of a stage to the ready instances of one pool after another. Because it stays while pools come
// and go, no request can reach for a pool that has just gone.
type Gate struct {
	ready atomic.Pointer[[]*upstream.Upstream] // nil if none is ready

	mu      sync.Mutex
	pool    *Pool
	view    view
	held    string        // why requests wait though instances are ready; "" if they do not
	closed  string        // why none is let in; "" if open
	waiters int           // requests that wait
	changed chan struct{} // closed when ready or closed changes, then made anew
}

// NewGate returns an open Gate without a pool: requests wait.
func NewGate() *Gate { return &Gate{changed: make(chan struct{}), view: view{reason: "starting"}} }

// Acquire implements route.Backend: it takes the instance with the fewest requests in flight. It waits up to WaitLimit
// while there is hope for one, and returns a *route.Unavailable without. If ctx ends first, it returns its error.
func (g *Gate) Acquire(ctx context.Context) (*upstream.Upstream, error) {
	list := g.ready.Load()
	if list != nil {
		if u := pick(*list); u.Begin() {
			return u, nil
		}
	}
	return g.wait(ctx, list)
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

// wait tries again whenever something changes. Refused is the list of which an instance did not take the request.
func (g *Gate) wait(ctx context.Context, refused *[]*upstream.Upstream) (*upstream.Upstream, error) {
	limit := time.NewTimer(WaitLimit)
	defer limit.Stop()
	for {
		list, changed, err := g.enter(refused)
		if err != nil {
			return nil, err
		}
		if list != nil {
			if u := pick(*list); u.Begin() {
				return u, nil
			}
			refused = list
			continue
		}
		select {
		case <-changed:
			g.leave()
		case <-limit.C:
			g.leave()
			return nil, g.unavailable()
		case <-ctx.Done():
			g.leave()
			return nil, fmt.Errorf("wait for an instance: %w", ctx.Err())
		}
	}
}

// enter returns a list worth trying, or a channel to wait on, and then counts the caller as waiting until it leaves.
func (g *Gate) enter(refused *[]*upstream.Upstream) (*[]*upstream.Upstream, <-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if list := g.ready.Load(); list != nil && list != refused {
		return list, nil, nil
	}
	switch {
	case g.closed != "":
		return nil, nil, &route.Unavailable{Reason: g.closed}
	case g.held == "" && time.Until(g.view.retryAt) > WaitLimit:
		return nil, nil, g.hopeless() // waiting would be in vain
	case g.waiters >= MaxWaiters:
		return nil, nil, &route.Unavailable{Reason: "too many requests wait for an instance", RetryAfter: time.Second}
	}
	g.waiters++
	return nil, g.changed, nil
}

func (g *Gate) leave() {
	g.mu.Lock()
	g.waiters--
	g.mu.Unlock()
}

func (g *Gate) unavailable() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hopeless()
}

// hopeless says why no instance is ready. The caller holds g.mu.
func (g *Gate) hopeless() error {
	reason := g.view.reason
	if g.held != "" {
		reason = g.held
	}
	return &route.Unavailable{Reason: reason, RetryAfter: max(time.Second, time.Until(g.view.retryAt))}
}

// Use leads requests to the instances of p from now on, opens the gate if it was closed, and lets requests pass that were
// held. The pool before is no longer reached when it returns, and may be stopped.
func (g *Gate) Use(p *Pool) {
	g.mu.Lock()
	g.pool, g.held, g.closed = p, "", ""
	g.view = view{reason: "starting"}
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

// apply makes the fields known to those who do not lock. The caller holds g.mu.
func (g *Gate) apply() {
	if g.held != "" || g.closed != "" || len(g.view.ready) == 0 {
		g.ready.Store(nil)
	} else {
		list := g.view.ready
		g.ready.Store(&list)
	}
	close(g.changed)
	g.changed = make(chan struct{})
}
