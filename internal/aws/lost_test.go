package aws_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestInterruptedAfterTheStack presses Ctrl-C when the stack is changed already, but nothing is written down.
func TestInterruptedAfterTheStack(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.set("COLOR", "blue")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := w.release("two")
	w.report = &reports{}
	err := w.platform.Apply(ctx, release, w.report, func(ctx context.Context) error { // as deploy.apply has it
		cancel()
		return aloft.Errorf(aloft.Canceled, "interrupted: %w", ctx.Err())
	})
	if err == nil {
		t.Fatal("it was interrupted")
	}
	w.expect("one red")
	if text := w.report.String(); !strings.Contains(text, "has what v2 needs; the next aloft up goes on from there") || strings.Contains(text, "takes back") {
		t.Errorf("it said:\n%s", text)
	}
	if serves, err := w.platform.Settled(t.Context(), release, aloft.Discard{}); err != nil || serves {
		t.Errorf("settled: %v, %v", serves, err)
	}
	w.must(w.platform.PutBack(t.Context(), release, w.report)) // as the next command does with a release that is pending
	w.must(w.apps.FinishRelease(t.Context(), w.ref, release.Version, "interrupted"))
	w.expect("one red")
	w.up("three")
	w.expect("three blue")
}

// TestLostLock has the lock broken by somebody who then deploys, while the first deploy has not committed.
func TestLostLock(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	first := w.platform
	release := w.release("two")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := first.Apply(ctx, release, &reports{}, func(context.Context) error {
		// aloft unlock; aloft up, on another machine: it sweeps, deploys, and finishes.
		w.must(w.apps.FinishRelease(t.Context(), w.ref, release.Version, ""))
		w.reconnect()
		w.up("three")
		w.expect("three red")
		cancel(aloft.Errorf(aloft.Conflict, "the lock was taken by someone else").WithHint("see what became of the stage"))
		return aloft.Errorf(aloft.Canceled, "interrupted")
	})
	wantError(t, err, aloft.Conflict, "the lock was taken by someone else", "see what became")
	w.expect("three red")
}

// TestMovedByOthers: whoever breaks the lock of a deploy that does not know it yet, and deploys, goes on serving.
func TestMovedByOthers(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	first := w.platform
	release := w.release("two")
	err := first.Apply(t.Context(), release, &reports{}, func(context.Context) error {
		w.must(w.apps.FinishRelease(t.Context(), w.ref, release.Version, "taken for dead"))
		w.reconnect()
		w.up("three")
		return aloft.Errorf(aloft.Unavailable, "the records cannot be written")
	})
	if err == nil {
		t.Fatal("it could not write what serves")
	}
	w.expect("three red")
}
