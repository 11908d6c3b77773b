package async_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
)

// TestReserved: no more events are under way than are reserved for the function. Of none at all each is given up at once.
func TestReserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var reserved, now, most atomic.Int64
		reserved.Store(3)
		w.Reserved = func(context.Context, aloft.StageRef, string) (int, bool) { return int(reserved.Load()), true }
		w.do = func(aloft.InvokeInput, int) (aloft.Invoked, error) {
			if reserved.Load() == 0 {
				return aloft.Invoked{}, aloft.Errorf(aloft.Unavailable, "no: %w", &aloft.Throttled{})
			}
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return aloft.Invoked{}, nil
		}
		for i := range 30 {
			w.invoke(fmt.Sprintf("e%d", i))
		}
		later(11 * time.Second)
		w.settled()
		if most.Load() != 3 || len(w.dead()) != 0 {
			t.Errorf("%d at once, %v", most.Load(), w.dead())
		}
		reserved.Store(0)
		w.invoke("e99")
		later(time.Second)
		w.settled()
		if letters := w.dead(); len(letters) != 1 || letters[0].ID != "e99" || letters[0].Attempts != 0 {
			t.Errorf("%+v", letters)
		}
	})
}
