package gateway

import (
	"slices"
	"time"
)

const (
	sweepEvery = 250 * time.Millisecond
	// stallLooks is how many looks in a row must find that a client took nothing before it counts as stalled: a lost
	// packet is sent again within 200 ms.
	stallLooks = 3
	// What a cut connection held is given back by its server and its app, which takes the processors for a moment: many are
	// cut one burst after the other, so that the others' requests pass between.
	cutBurst = 24
	cutPause = time.Millisecond
)

// sweep looks at the clients with a request in work and cuts those that are too slow, until nobody is there.
func (c *crowd) sweep() {
	now := time.Now()
	c.mu.Lock()
	var busy []*guest
	for g := range c.guests {
		if g.waiting.Load() == 0 {
			busy = append(busy, g)
		}
	}
	c.mu.Unlock()
	cut, stalled := c.slow(now, busy)
	if excess := len(stalled) - c.limits.SlowReaders; excess > 0 {
		slices.SortFunc(stalled, func(a, b *guest) int { return a.pace.stalled.Compare(b.pace.stalled) })
		cut = append(cut, stalled[:excess]...)
	}
	for i, g := range cut {
		if i%cutBurst == cutBurst-1 {
			<-time.After(cutPause)
		}
		g.reset()
	}
	c.mu.Lock()
	tell := len(cut) > 0 && now.Sub(c.told) > tellEvery
	if tell {
		c.told = now
	}
	if len(c.guests) > 0 {
		c.sweeper.Reset(sweepEvery)
	} else {
		c.sweeper = nil
	}
	c.mu.Unlock()
	if tell {
		c.log.Warn("clients took too little of what they asked for", "client", cut[0].RemoteAddr().String(), "cut", len(cut))
	}
}

// slow returns those of the guests that were slower than the minimum rate for the whole time it is taken over, and those of
// the others that take nothing at the moment.
func (c *crowd) slow(now time.Time, busy []*guest) (cut, stalled []*guest) {
	for _, g := range busy {
		taken, ready, ok := progress(g.raw)
		switch {
		case !ok:
		case g.pace.note(now, taken, ready, c.limits.Proxy.MinRate, c.limits.Proxy.Stall):
			cut = append(cut, g)
		case g.pace.looks >= stallLooks:
			stalled = append(stalled, g)
		}
	}
	return cut, stalled
}
