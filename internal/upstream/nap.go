package upstream

import (
	"sync"
	"sync/atomic"
)

// nap is the part of an Upstream that knows whether its instance is frozen.
type nap struct {
	asleep atomic.Bool
	wakeMu sync.Mutex
	thaw   func() error
}

// Sleep freezes the instance unless a request is in flight, and reports whether it did. Kept connections are closed: what
// happened on them meanwhile would go unseen. A request that begins at the same moment wakes it again; see Wake.
func (u *Upstream) Sleep(freeze, thaw func() error) bool {
	u.wakeMu.Lock()
	defer u.wakeMu.Unlock()
	if u.asleep.Load() || u.draining.Load() {
		return false
	}
	u.asleep.Store(true)
	if u.inFlight.Load() > 0 {
		u.asleep.Store(false)
		return false
	}
	u.dropIdle()
	if err := freeze(); err != nil {
		_ = thaw()
		u.asleep.Store(false)
		return false
	}
	u.thaw = thaw
	return true
}

// Asleep reports whether the instance is frozen, or just being frozen.
func (u *Upstream) Asleep() bool { return u.asleep.Load() }

// Wake thaws the instance. Whoever has begun a request and finds the upstream asleep calls it before anything else.
func (u *Upstream) Wake() error {
	u.wakeMu.Lock()
	defer u.wakeMu.Unlock()
	if !u.asleep.Load() {
		return nil
	}
	err := u.thaw()
	if err == nil {
		u.asleep.Store(false)
	}
	return err
}
