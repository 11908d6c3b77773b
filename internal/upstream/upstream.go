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

	inFlight atomic.Int64 // requests begun and not ended
	draining atomic.Bool
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

// Begin counts one more request and reports whether the upstream takes it. After true the caller must call End once; after
// false (it drains) the caller looks the route up again, which by then leads elsewhere.
func (u *Upstream) Begin() bool {
	u.inFlight.Add(1)
	if u.draining.Load() {
		u.End()
		return false
	}
	return true
}

// End ends a request that Begin counted.
func (u *Upstream) End() {
	if u.inFlight.Add(-1) == 0 && u.draining.Load() {
		u.idleOnce.Do(func() { close(u.idle) })
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
