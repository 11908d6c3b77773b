package deploy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestSharedLock: a change takes the lock that other processes see, ends when it is lost, and gives it back in any case.
func TestSharedLock(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	taken, given := 0, 0
	refused, lost := errors.New("no answer"), errors.New("taken by someone else")
	var fails, ends error
	b.Lock = func(ctx context.Context, ref aloft.StageRef, _ aloft.Reporter) (context.Context, func(), error) {
		if fails != nil {
			return nil, nil, fails
		}
		if ref != production {
			t.Errorf("lock of %s", ref)
		}
		taken++
		held, cancel := context.WithCancelCause(ctx)
		if ends != nil {
			cancel(ends)
		}
		return held, func() { given++; cancel(nil) }, nil
	}
	deploy := func() error {
		_, err := b.Deploy(t.Context(), b.input(), b.events)
		return err
	}
	if fails = refused; !errors.Is(deploy(), refused) {
		t.Error("deployed without the lock")
	}
	fails, ends = nil, lost
	if err := deploy(); err == nil {
		t.Error("deployed though the lock was lost")
	}
	if taken != 1 || given != 1 {
		t.Errorf("taken %d times, given back %d times", taken, given)
	}
	if ends = nil; deploy() != nil || taken != 2 || given != 2 {
		t.Errorf("taken %d times, given back %d times", taken, given)
	}
	if stage, err := b.apps.Stage(t.Context(), production); err != nil || stage.Current != 1 {
		t.Errorf("stage: %+v, %v", stage, err)
	}
}

// TestLockOfStop: what the lock has to say reaches whoever stops or destroys a stage.
func TestLockOfStop(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	said := &events{}
	b.Report = said
	b.Lock = func(ctx context.Context, _ aloft.StageRef, report aloft.Reporter) (context.Context, func(), error) {
		return ctx, func() { report.Report(aloft.Warning{Text: "the lock could not be released"}) }, nil
	}
	for _, do := range []func(context.Context, aloft.StageRef) error{b.Stop, b.Destroy} {
		before := len(said.all)
		if err := do(t.Context(), production); err != nil {
			t.Fatal(err)
		}
		if len(said.all) == before {
			t.Error("nobody heard of the lock")
		}
	}
}
