package queue_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
	"github.com/aloft-run/aloft/internal/eventsource/queue"
	"github.com/aloft-run/aloft/internal/lineage"
)

// mapped is a source with what it is to know of its function, which is called work.
func mapped(t *testing.T, f *fake, text string) (eventsource.Source, *eventsource.Mapping) {
	t.Helper()
	source, err := eventsource.Set{queue.Kind{Queues: f}}.Parse(eventsourcetest.Stage(), text)
	if err != nil {
		t.Fatal(err)
	}
	return source, &eventsource.Mapping{
		Stage: eventsourcetest.Stage(), Function: "work", Source: source.String(), From: time.Now(),
		Ends: func(_ context.Context, in aloft.InvokeInput) bool {
			return lineage.Loops(in.Trace, in.Stage, in.Function)
		},
	}
}

// TestLoops: under steady load items that pass the function three times each are no loops, though batches mix them with others;
// and one that comes back for ever ends after as many passes as any, though it is always beside new ones.
func TestLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const items, passes = 600, 3
		f := &fake{visibility: time.Minute}
		var mu sync.Mutex
		var ended []string
		done, calls, turns := 0, 0, 0
		function := &eventsourcetest.Function{Answer: func(in aloft.InvokeInput) (aloft.Invoked, error) {
			if !in.Async {
				time.Sleep(300 * time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			if in.Async {
				ended = append(ended, bodies(in)...)
				return aloft.Invoked{}, nil
			}
			calls++
			trace := lineage.Step(in.Trace, in.Stage, in.Function)
			for _, body := range bodies(in) {
				id, count, _ := strings.Cut(body, ":")
				n, _ := strconv.Atoi(count)
				if id == "loop" {
					turns++
				}
				if id == "loop" || n < passes {
					f.traced(trace, fmt.Sprintf("%s:%d", id, n+1))
				} else {
					done++
				}
			}
			return aloft.Invoked{}, nil
		}}
		source, mapping := mapped(t, f, "queue:jobs")
		go func() {
			f.send("loop:1")
			for i := range items {
				f.send(fmt.Sprintf("%d:1", i))
				time.Sleep(50 * time.Millisecond)
			}
		}()
		eventsourcetest.RunFor(t, source, mapping, function, time.Minute)
		if done != items || turns != lineage.Most || fmt.Sprint(ended) != "[loop:17]" || f.left() != 0 {
			t.Errorf("%d of %d items are done, the loop had %d turns, %q were ended, %d are left", done, items, turns, ended, f.left())
		}
		if calls > items*passes {
			t.Errorf("%d calls for %d messages", calls, items*passes)
		}
	})
}

// TestOrder: messages of a group that are not of the same making come in their order, also when the function fails at the first
// or takes none; and those that it has not seen have not been received.
func TestOrder(t *testing.T) {
	step := lineage.Step("", eventsourcetest.Stage(), "other")
	for name, fail := range map[string]func() (aloft.Invoked, error){
		"fails":      func() (aloft.Invoked, error) { return aloft.Invoked{FunctionError: "ValueError"}, nil },
		"takes none": func() (aloft.Invoked, error) { return aloft.Invoked{}, aloft.Errorf(aloft.Unavailable, "full") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{visibility: 30 * time.Second}
				for i, trace := range []string{"", "", step, "", step, step} {
					f.traced(trace, fmt.Sprintf("g/%d", i))
				}
				var got []string
				failed := 0
				function := &eventsourcetest.Function{Answer: func(in aloft.InvokeInput) (aloft.Invoked, error) {
					call := strings.Join(bodies(in), " ")
					if strings.Contains(call, "g/0") && failed < 2 {
						failed++
						return fail()
					}
					if strings.Contains(call, "g/2") && !strings.Contains(string(in.Payload), `"ApproximateReceiveCount":"1"`) {
						t.Errorf("what it has not seen has been received: %s", in.Payload)
					}
					got = append(got, call)
					return aloft.Invoked{}, nil
				}}
				source, mapping := mapped(t, f, "queue:jobs")
				mapping.Physical = func(_, name string) string { return "shop-" + name + ".fifo" }
				eventsourcetest.RunFor(t, source, mapping, function, time.Hour)
				if want := "g/0 g/1, g/2, g/3, g/4 g/5"; strings.Join(got, ", ") != want {
					t.Errorf("it got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestReserved: messages that the function does not take, since it is at work on as many as are reserved for it, do not come
// nearer to the dead letters; and the source offers no more than that.
func TestReserved(t *testing.T) {
	for name, known := range map[string]bool{"known": true, "not known": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const reserved, all = 2, 200
				f := &fake{visibility: time.Minute, maxReceives: 5}
				for i := range all {
					f.send(strconv.Itoa(i))
				}
				var mu sync.Mutex
				at, worked, throttled := 0, 0, 0
				function := &eventsourcetest.Function{Answer: func(in aloft.InvokeInput) (aloft.Invoked, error) {
					mu.Lock()
					defer mu.Unlock()
					if at == reserved {
						throttled++
						return aloft.Invoked{}, aloft.Errorf(aloft.Unavailable, "no: %w", &aloft.Throttled{Reserved: reserved})
					}
					at++
					mu.Unlock()
					time.Sleep(10 * time.Second)
					mu.Lock()
					at--
					worked += len(bodies(in))
					return aloft.Invoked{}, nil
				}}
				source, mapping := mapped(t, f, "queue:jobs")
				if known {
					mapping.Reserved = func(context.Context, aloft.StageRef, string) (int, bool) { return reserved, true }
				}
				eventsourcetest.RunFor(t, source, mapping, function, 10*time.Minute)
				if worked != all || f.dead != 0 || known != (throttled == 0) {
					t.Errorf("%d of %d are done, %d are dead; %d times it took none", worked, all, f.dead, throttled)
				}
			})
		})
	}
}
