package shim

import (
	"testing"
	"time"
)

// TestFresh: a connection is fresh for keptTime, by the clock on the wall. One that came to rest at a time that is yet to come, since
// the clock was set back, is not known to be.
func TestFresh(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for ago, want := range map[time.Duration]bool{
		0: true, keptTime - 1: true, keptTime: false, keptTime + 1: false, time.Hour: false, -1: false, -time.Hour: false,
	} {
		l := link{used: now.Round(0).Add(-ago)}
		if got := l.fresh(now); got != want {
			t.Errorf("%s ago is fresh: %t", ago, got)
		}
	}
}
