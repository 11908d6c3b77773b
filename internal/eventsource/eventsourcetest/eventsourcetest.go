// Package eventsourcetest holds the laws that every kind of event source obeys. The test of a kind describes the kind to Run.
package eventsourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Suite describes a kind.
type Suite struct {
	Kind eventsource.Kind
	Good map[string]string // a text, and its canonical form
	Bad  map[string]string // a text, and what the message about it says
	// Runs is a source that gets one event a moment after it was started, if Deliver is called. Both may use a synctest bubble's
	// clock.
	Runs    string
	Deliver func(t *testing.T)
	Async   bool // it hands events over instead of waiting for the function
}

// Stage is the stage whose function the sources invoke.
func Stage() aloft.StageRef { return aloft.StageRef{App: "shop", Stage: "staging"} }

// Run checks the laws that need no clock.
func Run(t *testing.T, suite Suite) {
	t.Helper()
	set := eventsource.Set{suite.Kind}
	for text, want := range suite.Good {
		t.Run(text, func(t *testing.T) { checkGood(t, set, text, want) })
	}
	for text, want := range suite.Bad {
		t.Run(text, func(t *testing.T) {
			_, err := set.Parse(Stage(), text)
			if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error()+" "+hint(err), want) {
				t.Errorf("%q: %v (%s), want an Invalid error that says %q", text, err, hint(err), want)
			}
		})
	}
	t.Run("unknown option", func(t *testing.T) {
		_, err := set.Parse(Stage(), eventsource.Bare(suite.Runs)+"?colour=red")
		if err == nil || !strings.Contains(err.Error(), `"colour"`) || !strings.Contains(hint(err), "options") {
			t.Errorf("an unknown option: %v (%s), want its name and the options there are", err, hint(err))
		}
	})
}

func hint(err error) string {
	if e, ok := errors.AsType[*aloft.Error](err); ok {
		return e.Hint
	}
	return ""
}

func checkGood(t *testing.T, set eventsource.Set, text, want string) {
	t.Helper()
	source, err := set.Parse(Stage(), text)
	if err != nil {
		t.Fatal(err, hint(err))
	}
	if source.String() != want {
		t.Errorf("%q is %q, want %q", text, source, want)
	}
	again, err := set.Parse(Stage(), source.String())
	if err != nil || again.String() != source.String() {
		t.Errorf("%q parsed again is %v, %v", source, again, err)
	}
	if source.Name() == "" || strings.ContainsAny(source.Name(), " ?/:&%") {
		t.Errorf("the name %q is no word", source.Name())
	}
}

// Start runs a source of the suite until the end of the test or until stop is called, which waits for it.
func Start(t *testing.T, suite Suite, text string, invoker aloft.Invoker) (mapping *eventsource.Mapping, stop func()) {
	t.Helper()
	source, err := eventsource.Set{suite.Kind}.Parse(Stage(), text)
	if err != nil {
		t.Fatal(err)
	}
	mapping = &eventsource.Mapping{Stage: Stage(), Function: "work", Source: source.String(), From: time.Now()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- source.Run(ctx, mapping, invoker) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("%s ended with %v, want nil when its context ends", text, err)
			}
		})
	}
	t.Cleanup(stop)
	return mapping, stop
}

// Delivers checks the laws of running: one event, whole, for the function it was asked for; its state says so; and an end.
func Delivers(t *testing.T, suite Suite) *Function {
	t.Helper()
	f := &Function{}
	mapping, stop := Start(t, suite, suite.Runs, f)
	suite.Deliver(t)
	f.Await(t, 1)
	stop()
	inputs := f.Inputs()
	if len(inputs) != 1 {
		t.Fatalf("one event was delivered %d times", len(inputs))
	}
	in := inputs[0]
	if in.Stage != Stage() || in.Function != "work" || in.Async != suite.Async || in.Source == "" || !json.Valid(in.Payload) {
		t.Errorf("the event is %+v, payload %s", in, in.Payload)
	}
	if state := mapping.State(); state.Events != 1 || state.Failed != 0 || state.Last.IsZero() || state.Error != "" {
		t.Errorf("the state is %+v, want one event", state)
	}
	return f
}

// Function is an Invoker that notes what it was asked. The zero value answers null.
type Function struct {
	Answer func(input aloft.InvokeInput) (aloft.Invoked, error) // nil: null

	mu     sync.Mutex
	inputs []aloft.InvokeInput
}

// Invoke implements aloft.Invoker.
func (f *Function) Invoke(_ context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	f.mu.Lock()
	f.inputs = append(f.inputs, input)
	f.mu.Unlock()
	if f.Answer == nil {
		return aloft.Invoked{Payload: []byte("null")}, nil
	}
	return f.Answer(input)
}

// Inputs are the events so far.
func (f *Function) Inputs() []aloft.InvokeInput {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]aloft.InvokeInput(nil), f.inputs...)
}

// Await waits until n events have come.
func (f *Function) Await(t *testing.T, n int) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Minute); len(f.Inputs()) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d events came, want %d", len(f.Inputs()), n)
		}
	}
}

// SameShape checks that an event has exactly the members that the Go type of AWS's own library has: it decodes into T without a
// member left over, and T, encoded again, is the same document.
func SameShape[T any](t *testing.T, event []byte) T {
	t.Helper()
	v := Known[T](t, event)
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	Same(t, event, again)
	return v
}

// Same checks that two documents say the same.
func Same(t *testing.T, got, want []byte) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal(want, &b)); err != nil {
		t.Fatal(err)
	}
	g, _ := json.MarshalIndent(a, "", " ")
	w, _ := json.MarshalIndent(b, "", " ")
	if !bytes.Equal(g, w) {
		t.Errorf("the event is\n%s\nwant\n%s", g, w)
	}
}

// RunFor runs a source for a time and ends it.
func RunFor(t *testing.T, source eventsource.Source, m *eventsource.Mapping, invoker aloft.Invoker, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := source.Run(ctx, m, invoker); err != nil {
		t.Errorf("%s ended with %v, want nil when its context ends", source, err)
	}
}

// Known checks that an event has no member that the Go type of AWS's own library does not have.
func Known[T any](t *testing.T, event []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return v
}
