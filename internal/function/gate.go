package function

import (
	"context"
	"fmt"
	"slices"
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
	ready   atomic.Pointer[[]*upstream.Upstream] // nil if none is ready
	target  atomic.Int64                         // requests in flight per instance beyond which more are wanted; 0: never
	queued  atomic.Int64                         // the same as len(queue), for those who do not lock
	present atomic.Pointer[Pool]                 // the same as pool, for those who do not lock

	mu      sync.Mutex
	pool    *Pool
	view    view
	held    string          // why requests wait though instances are ready; "" if they do not
	closed  string          // why none is let in; "" if open
	queue   []chan struct{} // of requests that wait, first come first; each is closed when it is its turn to try
	changed chan struct{}   // closed when ready or closed changes, then made anew
}

// NewGate returns an open Gate without a pool: requests wait.
func NewGate() *Gate { return &Gate{changed: make(chan struct{}), view: view{reason: "starting"}} }

// Acquire implements route.Backend: it takes the instance with the fewest requests in flight. It waits up to WaitLimit
// while there is hope for one, first come first served, and returns a *route.Unavailable without. If ctx ends first, it
// returns its error.
func (g *Gate) Acquire(ctx context.Context) (*upstream.Upstream, error) {
	list := g.ready.Load()
	if list != nil && g.queued.Load() == 0 {
		if u := g.try(*list); u != nil {
			return u, wake(u)
		}
	}
	u, err := g.wait(ctx)
	if err != nil {
		return nil, err
	}
	return u, wake(u)
}

// try begins a request on the instance with the fewest, nil if that takes none.
func (g *Gate) try(list []*upstream.Upstream) *upstream.Upstream {
	u := pick(list)
	if !u.Begin() {
		return nil
	}
	if target := g.target.Load(); target > 0 && int64(u.InFlight()) > target {
		g.wantMore()
	}
	return u
}

func wake(u *upstream.Upstream) error {
	if !u.Asleep() {
		return nil
	}
	if err := u.Wake(); err != nil {
		u.End()
		return &route.Unavailable{Reason: "the instance does not wake up", RetryAfter: time.Second}
	}
	return nil
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

// wait queues and tries again whenever it is its turn or something changes.
func (g *Gate) wait(ctx context.Context) (*upstream.Upstream, error) {
	limit := time.NewTimer(WaitLimit)
	defer limit.Stop()
	turn, err := g.enter()
	if err != nil {
		return nil, err
	}
	defer func() { g.leave(turn) }()
	for {
		u, changed, err := g.attempt()
		if u != nil || err != nil {
			return u, err
		}
		g.wantMore()
		select {
		case <-turn:
			turn = g.rejoin(turn)
		case <-changed:
		case <-limit.C:
			return nil, g.unavailable()
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for an instance: %w", ctx.Err())
		}
	}
}

// attempt takes an instance, or returns a channel that is closed when it is worth another one.
func (g *Gate) attempt() (*upstream.Upstream, <-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if list := g.ready.Load(); list != nil {
		if u := g.try(*list); u != nil {
			return u, nil, nil
		}
		return nil, g.changed, nil
	}
	return nil, g.changed, g.refusal()
}

// refusal says why waiting would be in vain, nil if it would not. The caller holds g.mu.
func (g *Gate) refusal() error {
	switch {
	case g.closed != "":
		return &route.Unavailable{Reason: g.closed}
	case g.ready.Load() == nil && g.held == "" && time.Until(g.view.retryAt) > WaitLimit:
		return g.hopeless()
	}
	return nil
}

// enter joins the queue.
func (g *Gate) enter() (turn chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.refusal(); err != nil {
		return nil, err
	}
	most := MaxWaiters
	if g.pool != nil && g.pool.Function.Queue > 0 {
		most = g.pool.Function.Queue
	}
	if len(g.queue) >= most {
		return nil, &route.Unavailable{Reason: "too many requests wait for an instance", RetryAfter: time.Second}
	}
	turn = make(chan struct{})
	g.queue = append(g.queue, turn)
	g.queued.Store(int64(len(g.queue)))
	return turn, nil
}

// rejoin goes back to the head of the queue: another one was quicker.
func (g *Gate) rejoin(used chan struct{}) (turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	turn = make(chan struct{})
	if at := slices.Index(g.queue, used); at >= 0 {
		g.queue[at] = turn
	}
	return turn
}

// leave leaves the queue. Who is next may try: perhaps what was freed is still free.
func (g *Gate) leave(turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := slices.Index(g.queue, turn); at >= 0 {
		g.queue = slices.Delete(g.queue, at, at+1)
		g.queued.Store(int64(len(g.queue)))
	}
	g.next()
}

// next tells the first of the queue to try. The caller holds g.mu.
func (g *Gate) next() {
	for _, turn := range g.queue {
		select {
		case <-turn: // told already
		default:
			close(turn)
			return
		}
	}
}

// freed is called when an instance can take one request more.
func (g *Gate) freed() {
	if g.queued.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next()
}

// Waiting is the number of requests that wait.
func (g *Gate) Waiting() int { return int(g.queued.Load()) }

// wantMore tells the pool that its instances have much to do.
func (g *Gate) wantMore() {
	if p := g.present.Load(); p != nil {
		p.want()
	}
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
	g.target.Store(int64(p.target()))
	g.present.Store(p)
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
