// Package upstream is an instance as the gateway sees it: something to connect to, with kept connections, a count of
// requests in flight, and an end. It knows neither processes nor HTTP.
package upstream

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Upstream is one instance that takes requests. All methods may be called from several goroutines.
type Upstream struct {
	ID   string // the instance
	dial func(ctx context.Context) (net.Conn, error)

	limit    int64        // requests in flight at most; 0: no bound
	freed    func()       // called when a request ended though others may wait; nil if there is no limit
	inFlight atomic.Int64 // requests begun and not ended
	begun    atomic.Int64 // requests ever begun
	answered atomic.Int64 // requests of which an answer has begun
	onHang   func()       // see OnHang
	hangOnce sync.Once
	draining atomic.Bool
	nap
	idle     chan struct{} // closed once draining and nothing is in flight
	idleOnce sync.Once
	cut      chan struct{} // closed by Cut
	cutOnce  sync.Once
	pool
}

// New returns an Upstream that connects with dial.
func New(id string, dial func(ctx context.Context) (net.Conn, error)) *Upstream {
	return &Upstream{ID: id, dial: dial, idle: make(chan struct{}), cut: make(chan struct{})}
}

// Limit bounds how many requests the upstream takes at once; freed is called after the end of each. It must be called
// before the first request.
func (u *Upstream) Limit(n int, freed func()) { u.limit, u.freed = int64(n), freed }

// Begin counts one more request and reports whether the upstream takes it. After true the caller must call End once; after
// false (it drains, or has as many as it takes) the caller tries another, or later.
func (u *Upstream) Begin() bool {
	n := u.inFlight.Add(1)
	if u.draining.Load() || u.limit > 0 && n > u.limit {
		u.release()
		return false
	}
	u.begun.Add(1)
	return true
}

// End ends a request that Begin counted.
func (u *Upstream) End() {
	u.release()
	if u.freed != nil {
		u.freed()
	}
}

func (u *Upstream) release() {
	if u.inFlight.Add(-1) == 0 && u.draining.Load() {
		u.idleOnce.Do(func() { close(u.idle) })
	}
}

// Begun is the number of requests that were ever begun.
func (u *Upstream) Begun() int64 { return u.begun.Load() }

// OnHang sets what is called, once, when a request timed out and no other was answered while it waited. It must be set
// before the first request.
func (u *Upstream) OnHang(f func()) { u.onHang = f }

// Answered notes that a request was answered, well or badly, and returns how many ever were.
func (u *Upstream) Answered() int64 { return u.answered.Add(1) }

// Answers is how many requests were ever answered.
func (u *Upstream) Answers() int64 { return u.answered.Load() }

// TimedOut says that a request got no answer in time. Before is what Answers said when it began.
func (u *Upstream) TimedOut(before int64) {
	if u.onHang != nil && u.answered.Load() == before {
		u.hangOnce.Do(u.onHang)
	}
}

// InFlight is the number of requests begun and not ended, upgraded connections included.
func (u *Upstream) InFlight() int { return int(u.inFlight.Load()) }

// Drain makes Begin refuse from now on and returns a channel that is closed once nothing is in flight. Idle connections
// are closed at once.
func (u *Upstream) Drain() <-chan struct{} {
	u.draining.Store(true)
	u.stopKeeping()
	if u.inFlight.Load() == 0 {
		u.idleOnce.Do(func() { close(u.idle) })
	}
	return u.idle
}

// Cut says that the drain time is over: requests and upgraded connections still in flight end now. Connections that carry
// a request are closed.
func (u *Upstream) Cut() {
	u.cutOnce.Do(func() { close(u.cut) })
	u.stopKeeping()
	u.closeBusy()
}

// Cutting is closed by Cut. Whoever serves a request in flight watches it.
func (u *Upstream) Cutting() <-chan struct{} { return u.cut }

// Dial opens a new connection to the instance.
func (u *Upstream) Dial(ctx context.Context) (net.Conn, error) { return u.dial(ctx) }
