package shim

import (
	"testing"
	"time"
)

// TestFresh: a connection that came to rest at a time that is yet to come, since the clock was set back, is not known to be fresh.
func TestFresh(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration]bool{0: true, time.Hour: false, -time.Hour: false} {
		l := link{used: time.Now().Round(0).Add(-ago)}
		if got := l.fresh(); got != want {
			t.Errorf("%s ago is fresh: %t", ago, got)
		}
	}
}
