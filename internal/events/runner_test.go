package events_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/schedule"
)

var shop = aloft.StageRef{App: "shop", Stage: "staging"}

// minute is due each minute.
const minute = "schedule:rate(1 minute)"

// function counts events by the time that they are of.
type function struct {
	mu    sync.Mutex
	times map[string]int
	names map[string]int
}

func (f *function) Invoke(_ context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, after, _ := strings.Cut(string(input.Payload), `"time":"`)
	at, _, _ := strings.Cut(after, `"`)
	f.times[at]++
	f.names[input.Function]++
	return aloft.Invoked{}, nil
}

// expect checks that each of the first n minutes since the beginning of the bubble's time came once.
func (f *function) expect(t *testing.T, n int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 1; i <= n; i++ {
		at := time.Date(2000, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC3339)
		if f.times[at] != 1 {
			t.Errorf("the tick of %s came %d times", at, f.times[at])
		}
	}
	if len(f.times) != n {
		t.Errorf("%d ticks came, want %d", len(f.times), n)
	}
}

func newFunction() *function { return &function{times: map[string]int{}, names: map[string]int{}} }

func runner(t *testing.T, f aloft.Invoker, paused bool) *events.Runner {
	t.Helper()
	r := events.New(events.Options{
		Sources: eventsource.Set{schedule.Kind{}, broken{}}, Invoker: f, Paused: paused, Log: func(aloft.StageRef, aloft.LogLine) {},
	})
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func release(n int, sources ...string) aloft.Release {
	return aloft.Release{
		StageRef: shop, Version: n, Artifact: aloft.Artifact{Digest: "x"},
		Functions: []aloft.Function{{Name: "work", Kind: aloft.Handler, EventSources: sources}},
	}
}

// TestSwitches makes releases at all moments of a minute, the tick's too: each tick comes once.
func TestSwitches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction()
		r := runner(t, f, false)
		for i := range 600 { // ten minutes, 60 releases a minute, every fifth with another source beside it
			sources := []string{minute}
			if i%5 == 0 {
				sources = append(sources, "schedule:rate(1 day)")
			}
			r.Use(release(i+1, sources...))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		f.expect(t, 10)
	})
}

// TestHandover hands over from server to server at all moments of a minute, some of them failing: each tick comes once.
func TestHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction()
		old := runner(t, f, false)
		old.Use(release(1, minute))
		for i := range 120 {
			next := runner(t, f, true)
			next.Use(release(1, minute)) // restored beside the old one
			time.Sleep(3 * time.Second)
			marks := old.Pause(t.Context())
			time.Sleep(2 * time.Second) // nobody runs
			if i%3 == 0 {
				old.Resume(marks)
				continue
			}
			next.Resume(marks)
			old = next
		}
		synctest.Wait()
		f.expect(t, 10)
	})
}

// TestRestart is a server that is killed and started again: what was due meanwhile is not made up for, the rest comes once.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction()
		first := runner(t, f, false)
		first.Use(release(1, minute))
		time.Sleep(2*time.Minute + 30*time.Second)
		first.Halt()
		time.Sleep(10 * time.Minute)
		second := runner(t, f, false)
		second.Use(release(1, minute))
		time.Sleep(time.Minute)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		for at, n := range f.times {
			if n != 1 || !slices.Contains([]string{"2000-01-01T00:01:00Z", "2000-01-01T00:02:00Z", "2000-01-01T00:13:00Z"}, at) {
				t.Errorf("the tick of %s came %d times", at, n)
			}
		}
		if len(f.times) != 3 {
			t.Errorf("ticks %v", f.times)
		}
	})
}

// TestStop ends the sources of a stage, of one that is turned off, and those a release does not have.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction()
		r := runner(t, f, false)
		quiet := func(what string) {
			t.Helper()
			f.mu.Lock()
			before := len(f.times)
			f.mu.Unlock()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(f.times) != before {
				t.Errorf("%s: events still come", what)
			}
		}
		r.Use(release(1, minute))
		time.Sleep(time.Minute)
		synctest.Wait()
		f.expect(t, 1)
		r.Stop(shop)
		quiet("stopped")
		r.Use(release(2, minute))
		r.Use(release(3))
		quiet("without the source")
		off := release(4, minute)
		off.Tuning = map[string]aloft.Tuning{"work": {Sources: &aloft.Sources{Remove: []string{minute}}}}
		r.Use(off)
		quiet("removed by an operator")
	})
}

// TestList says how sources are.
func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction()
		r := runner(t, f, false)
		rel := release(1, minute, "broken:x")
		rel.Tuning = map[string]aloft.Tuning{"work": {Sources: &aloft.Sources{Add: []string{"schedule:rate(1 day)"}, Remove: []string{"broken:x"}}}}
		if all := r.List(rel); len(all) != 2 || all[0].Running || all[0].Operator || !all[1].Operator {
			t.Errorf("before it runs: %+v", all)
		}
		r.Use(rel)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		one := r.List(rel)[0]
		if !one.Running || one.Events != 1 || one.Source != minute || one.Function != "work" || !one.Next.Equal(time.Date(2000, 1, 1, 0, 2, 0, 0, time.UTC)) {
			t.Errorf("while it runs: %+v", one)
		}
	})
}

// broken is a kind whose sources cannot go on.
type broken struct{}

func (broken) Name() string    { return "broken" }
func (broken) Service() string { return "" }
func (broken) Parse(u eventsource.URI) (eventsource.Source, error) {
	return &brokenSource{text: u.String()}, nil
}

type brokenSource struct {
	text string
	runs int
}

func (s *brokenSource) String() string { return s.text }
func (s *brokenSource) Name() string   { return "x" }
func (s *brokenSource) Run(context.Context, *eventsource.Mapping, aloft.Invoker) error {
	s.runs++
	return fmt.Errorf("run %d: %w", s.runs, errors.New("no such queue"))
}

// TestFailing runs a source again that cannot go on, ever more rarely, says why, and ends it when it is asked to.
func TestFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runner(t, newFunction(), false)
		rel := release(1, "broken:x")
		r.Use(rel)
		time.Sleep(time.Hour)
		synctest.Wait()
		one := r.List(rel)[0]
		var runs int
		if _, err := fmt.Sscanf(one.Error, "run %d: no such queue", &runs); err != nil || runs < 60 || runs > 70 || !one.Running {
			t.Errorf("after an hour: %+v", one)
		}
		r.Stop(shop)
	})
}

// TestAmbiguous: an event for a function whose name functions of two stages have reaches neither: it could be the wrong one.
func TestAmbiguous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := &asking{names: []string{"a-b-c", "a-x"}, found: map[string]string{}}
		r := events.New(events.Options{Sources: eventsource.Set{asked}, Invoker: newFunction(), Log: func(aloft.StageRef, aloft.LogLine) {}, Paused: true})
		for app, functions := range map[string][]aloft.Function{"a": {{Name: "b-c"}, {Name: "x"}}, "a-b": {{Name: "c"}}} {
			r.Use(aloft.Release{StageRef: aloft.StageRef{App: app, Stage: aloft.Production}, Version: 1, Functions: functions})
		}
		r.Resume(nil)
		synctest.Wait()
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if want := map[string]string{"a-x": "a/production x"}; !maps.Equal(asked.found, want) {
			t.Errorf("found %v, want %v", asked.found, want)
		}
	})
}

// asking is a kind that looks for functions.
type asking struct {
	schedule.Kind

	names []string
	found map[string]string
}

func (a *asking) Serve(_ context.Context, functions eventsource.Functions, _ aloft.Invoker) error {
	for _, name := range a.names {
		if ref, function, found := functions(name); found {
			a.found[name] = ref.String() + " " + function
		}
	}
	return nil
}
