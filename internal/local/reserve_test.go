package local_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/local"
)

// TestReserved: of all releases of a function together as many events are worked on as are reserved; others are refused at
// once, and each leaves its place.
func TestReserved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var most atomic.Int64
	most.Store(2)
	w.Reserved = func(_ context.Context, ref aloft.StageRef, function string) (int, bool) {
		return int(most.Load()), ref == shop && function == "create"
	}
	w.handlers(t, 3)
	var wg sync.WaitGroup
	var worked, refused atomic.Int64
	for i := range 40 {
		qualifier := []string{"2", "3", ""}[i%3]
		wg.Go(func() {
			_, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: qualifier})
			full, throttled := errors.AsType[*aloft.Throttled](err)
			switch {
			case err == nil:
				worked.Add(1)
			case throttled && full.Reserved == 2 && aloft.ErrorCode(err) == aloft.Unavailable:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if worked.Load() < 2 || refused.Load() == 0 {
		t.Errorf("%d were worked on, %d refused", worked.Load(), refused.Load())
	}
	most.Store(1) // all places are free again
	if got := w.invoked(t, ""); got != 3 {
		t.Errorf("by v%d", got)
	}
	for qualifier, want := range map[string]aloft.Code{"2": "", "9": aloft.NotFound, "": ""} {
		if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "create", Qualifier: qualifier}); aloft.ErrorCode(err) != want {
			t.Errorf("%q: %v", qualifier, err)
		}
	}
	if got := w.ask(t); got != "v3" {
		t.Errorf("by HTTP: %s", got)
	}
	most.Store(0)
	if got := w.ask(t); got != "503" {
		t.Errorf("with nothing reserved: %s", got)
	}
}

func TestReservedAfterPanic(t *testing.T) {
	t.Parallel()
	if !local.LeavesAfterPanic(t.Context()) {
		t.Error("the place is lost until the server starts again")
	}
}
