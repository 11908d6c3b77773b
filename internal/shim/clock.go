package shim

import (
	"sync"
	"time"
)

// clock measures the time in which the environment runs for sure: while it is initialised and while there is an invocation. In
// between Lambda freezes it, and a server that starts cannot help that.
type clock struct {
	mu    sync.Mutex
	under int // how much is under way
	since time.Time
	spent time.Duration // before since
}

func (c *clock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under++; c.under == 1 {
		c.since = time.Now()
	}
}

func (c *clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under--; c.under == 0 {
		c.spent += time.Since(c.since)
	}
}

func (c *clock) now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under == 0 {
		return c.spent
	}
	return c.spent + time.Since(c.since)
}
