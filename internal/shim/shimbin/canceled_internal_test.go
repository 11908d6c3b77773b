package shimbin

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

// TestCanceled: a build that is broken off says so, and not how its process ended.
func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Millisecond, errors.New("interrupted"))
	defer cancel()
	if _, err := build(ctx, runtime.GOARCH); !errors.Is(err, ctx.Err()) {
		t.Errorf("it says %v", err)
	}
}
