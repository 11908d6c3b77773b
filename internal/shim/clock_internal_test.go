package shim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestClock measures while something is under way, and not while the environment may be frozen.
func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c clock
		c.begin()
		time.Sleep(time.Second)
		c.begin()
		c.end()
		c.end()
		time.Sleep(time.Hour)
		if got := c.now(); got != time.Second {
			t.Errorf("%s have passed", got)
		}
		c.begin()
		time.Sleep(time.Minute)
		if got := c.now(); got != time.Second+time.Minute {
			t.Errorf("%s have passed", got)
		}
	})
}
