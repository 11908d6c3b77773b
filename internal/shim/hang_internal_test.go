package shim

import (
	"context"
	"testing"
	"time"
)

// TestLateServerIsNotBlamed: a server that starts for most of an invocation's time could not answer it, and its successor could not
// either: ended for that, servers would only ever start.
func TestLateServerIsNotBlamed(t *testing.T) {
	t.Parallel()
	for late, ready := range map[bool]time.Duration{false: time.Second, true: 8 * time.Second} {
		began := time.Now().Add(-10 * time.Second)
		ctx, cancel := context.WithDeadline(t.Context(), began.Add(10*time.Second))
		defer cancel()
		<-ctx.Done()
		w := &worker{began: began, asked: &process{ready: began.Add(ready)}}
		if w.overdue(ctx); (w.hangs == nil) != late {
			t.Errorf("a server that was ready after %s of 10 s is blamed: %t", ready, w.hangs != nil)
		}
	}
}
