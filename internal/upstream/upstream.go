// Package upstream is an instance as the gateway sees it: something to connect to, with kept connections, a count of
// requests in flight, and an end. It knows neither processes nor HTTP.
package upstream

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Upstream is one instance that takes requests. All methods may be called from several goroutines. The exported fields are
// set before the first Begin.
type Upstream struct {
	ID    string // the instance
	Limit int    // requests at once, beyond which Begin refuses; 0 means no bound
	Ended func() // called after a request has ended, if not nil
	Hung  func() // called when the instance seems to hang, if not nil; see TimedOut
	Owner any    // what it belongs to, for whoever made it

	dial func(ctx context.Context) (net.Conn, error)
	made time.Time

	inFlight atomic.Int64  // requests begun and not ended
	shut     atomic.Uint32 // why Begin refuses: draining, asleep
	used     atomic.Bool   // a request began since the last Used
	answered atomic.Int64  // the last answer, as time since made
	idle     chan struct{} // closed once draining and nothing is in flight
	idleOnce sync.Once
	cut      chan struct{} // closed by Cut
	cutOnce  sync.Once
	pool
}

// Why Begin refuses.
const (
	draining = 1 << iota
	asleep
)

// New returns an Upstream that connects with dial.
func New(id string, dial func(ctx context.Context) (net.Conn, error)) *Upstream {
	return &Upstream{ID: id, dial: dial, made: time.Now(), idle: make(chan struct{}), cut: make(chan struct{})}
}

// Begin counts one more request and reports whether the upstream takes it. After true the caller must call End once; after
// false (it drains, sleeps or has as many as it takes) the caller looks for another one.
func (u *Upstream) Begin() bool {
	if u.Limit == 0 {
		u.inFlight.Add(1)
	} else if !u.room() {
		return false
	}
	if u.shut.Load() != 0 {
		u.end()
		if u.Ended != nil { // for a moment there seemed to be no room; the caller may hold what Ended wants
			go u.Ended()
		}
		return false
	}
	if !u.used.Load() { // most times it is set, and reading disturbs no other processor
		u.used.Store(true)
	}
	return true
}

// room counts one more request if the limit allows it. The count never exceeds the limit, so that none is refused for
// another that is refused as well.
func (u *Upstream) room() bool {
	for {
		n := u.inFlight.Load()
		if n >= int64(u.Limit) {
			return false
		}
		if u.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// End ends a request that Begin counted.
func (u *Upstream) End() {
	u.end()
	if u.Ended != nil {
		u.Ended()
	}
}

func (u *Upstream) end() {
	if u.inFlight.Add(-1) == 0 && u.shut.Load()&draining != 0 {
		u.idleOnce.Do(func() { close(u.idle) })
	}
}

// InFlight is the number of requests begun and not ended, upgraded connections included.
func (u *Upstream) InFlight() int { return int(u.inFlight.Load()) }

// Used reports whether a request began since the last call, or is in flight.
func (u *Upstream) Used() bool { return u.used.Swap(false) || u.inFlight.Load() > 0 }

// Drain makes Begin refuse from now on and returns a channel that is closed once nothing is in flight. Idle connections
// are closed at once.
func (u *Upstream) Drain() <-chan struct{} {
	u.shut.Or(draining)
	u.stopKeeping()
	if u.inFlight.Load() == 0 {
		u.idleOnce.Do(func() { close(u.idle) })
	}
	return u.idle
}

// Sleep makes Begin refuse until Wake, unless a request is in flight: then it returns false and changes nothing. Idle
// connections are closed: what the instance makes of them while it sleeps is not known.
func (u *Upstream) Sleep() bool {
	u.shut.Or(asleep)
	if u.inFlight.Load() != 0 {
		u.Wake()
		return false
	}
	u.dropKept()
	return true
}

// Wake ends what Sleep began.
func (u *Upstream) Wake() { u.shut.And(^uint32(asleep)) }

// Answered says that the instance has answered a request. It matters to TimedOut only.
func (u *Upstream) Answered() { u.answered.Store(int64(time.Since(u.made))) }

// TimedOut says that a request, which the instance has had since a time, was given up. If the instance has answered none
// since then, it is taken to hang.
func (u *Upstream) TimedOut(since time.Time) {
	if u.Hung != nil && time.Duration(u.answered.Load()) < since.Sub(u.made) {
		u.Hung()
	}
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
