package events_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/events"
)

// qualifiers counts events by function and qualifier.
type qualifiers struct {
	mu   sync.Mutex
	seen map[string]int
}

func (q *qualifiers) Invoke(_ context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen[input.Function+":"+input.Qualifier]++
	return aloft.Invoked{}, nil
}

// took is how many events came for a function in so long.
func (q *qualifiers) took(lasts time.Duration, name string) int {
	synctest.Wait()
	q.mu.Lock()
	before := q.seen[name]
	q.mu.Unlock()
	time.Sleep(lasts)
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seen[name] - before
}

// TestAttached: what is attached runs beside the releases that come and go, as long as one serves that has the function.
func TestAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &qualifiers{seen: map[string]int{}}
		r := runner(t, q, true)
		attach := func(qualifier string) {
			t.Helper()
			if err := r.Attach(events.Attached{ID: "m", Stage: shop, Function: "work", Qualifier: qualifier, Source: minute}); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(what, name string, n int) {
			t.Helper()
			if got := q.took(5*time.Minute, name); got != n {
				t.Errorf("%s: %d events for %s, want %d", what, got, name, n)
			}
		}
		attach("live")
		r.Use(release(1))
		expect("paused", "work:live", 0)
		r.Resume(nil)
		expect("resumed", "work:live", 5)
		r.Use(release(2, "schedule:rate(1 day)"))
		expect("after a release", "work:live", 5)
		if state, running := r.State("m"); !running || state.Events == 0 {
			t.Errorf("state %+v, %t", state, running)
		}
		if list := r.List(release(2)); len(list) != 1 || list[0].Mapping != "m" || !list[0].Running {
			t.Errorf("list %+v", list)
		}
		attach("v1")
		expect("before", "work:live", 0)
		expect("after a change", "work:v1", 5)
		other := release(3)
		other.Functions[0].Name = "other"
		r.Use(other)
		expect("without the function", "work:v1", 0)
		r.Use(release(4))
		expect("with it again", "work:v1", 5)
		r.Stop(shop)
		expect("stopped", "work:v1", 0)
		r.Use(release(4))
		r.Detach("m")
		expect("detached", "work:v1", 0)
		r.Detach("m")
		if err := r.Attach(events.Attached{ID: "n", Source: "nothing:x"}); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("attached what is no source: %v", err)
		}
	})
}
