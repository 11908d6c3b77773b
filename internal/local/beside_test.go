package local_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/porttest"
)

// TestAPlatformStartsBesideAnother: what can run twice is ready while the other one still serves; what has a port of its own
// starts when the other has ended it, with its requests waiting; workers start when this one serves.
func TestAPlatformStartsBesideAnother(t *testing.T) {
	old, next := newWorld(t), newWorld(t)
	twice, alone := release(1), release(1, enginetest.Child("listen", "tcp4:"+porttest.Free(t))...)
	twice.App, alone.App = "twice", "alone"
	twice.Functions = append(twice.Functions, aloft.Function{Name: "clock", Kind: aloft.Worker, Command: enginetest.Child("hang")})
	broken := release(1, enginetest.Child("fail", "oops")...)
	broken.App = "broken"
	old.apply(t, twice)
	old.apply(t, alone)
	serving, only := old.Serving()
	if len(serving) != 2 || len(only) != 1 || only[0] != alone.StageRef {
		t.Fatalf("serving %v, alone %v", serving, only)
	}
	over, freed := make(chan struct{}), make(chan struct{})
	next.Before = &local.Before{Over: over, Holds: map[aloft.StageRef]<-chan struct{}{alone.StageRef: freed}}
	stages := []aloft.Restored{restored("twice", twice), restored("alone", alone), restored("broken", broken)}
	if err := next.Restore(t.Context(), stages); err != nil {
		t.Fatal(err)
	}
	patient, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := next.AwaitServing(patient, serving); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := next.AwaitServing(soon, []aloft.StageRef{broken.StageRef}); err == nil || !strings.Contains(err.Error(), "broken/staging: ") {
		t.Errorf("what cannot start: %v", err)
	}
	for _, w := range []*world{old, next} {
		if got, err := w.get(t.Context(), "twice-staging.localhost", "/"); got != "v1" {
			t.Errorf("it answers %q, %v", got, err)
		}
	}
	running := func(w *world, ref aloft.StageRef, function string) bool {
		status, _ := w.Status(t.Context(), ref)
		for _, i := range status.Instances {
			if i.Function == function && i.State == aloft.Ready {
				return true
			}
		}
		return false
	}
	if running(next, twice.StageRef, "clock") || running(next, alone.StageRef, "web") {
		t.Error("the other's worker, or its port, is not alone")
	}
	answer := make(chan string, 1)
	go func() {
		got, err := next.get(t.Context(), "alone-staging.localhost", "/")
		if err != nil {
			got = err.Error()
		}
		answer <- got
	}()
	close(over)
	old.EndWorkers()
	eventually(t, "the worker runs", func() bool { return running(next, twice.StageRef, "clock") })
	eventually(t, "the other's has ended", func() bool { return !running(old, twice.StageRef, "clock") })
	if err := old.Vacate(t.Context(), alone.StageRef); err != nil {
		t.Error(err)
	}
	close(freed)
	if got := <-answer; got != "v1" {
		t.Errorf("the request that waited is answered %q", got)
	}
	if got, err := old.get(t.Context(), "twice-staging.localhost", "/"); got != "v1" {
		t.Errorf("what the other still runs answers %q, %v", got, err)
	}
}
