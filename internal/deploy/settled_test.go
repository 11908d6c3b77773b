package deploy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// outliving is a platform where what serves outlives the process that deployed it.
type outliving struct {
	*platform

	serves map[int]bool
}

func (p *outliving) Settled(_ context.Context, release aloft.Release, report aloft.Reporter) (bool, error) {
	report.Report(aloft.Notice{Text: "waiting for what is under way"})
	return p.serves[release.Version], nil
}

// TestKilledDeploys leaves releases pending, as processes that are killed do: one that serves in fact, and one that does not.
func TestKilledDeploys(t *testing.T) {
	b := newBench(t, map[string]string{"run": "one"})
	b.Platform = &outliving{b.platform, map[int]bool{2: true}}
	b.up(t)
	for i, want := range []aloft.ReleaseStatus{aloft.Succeeded, aloft.Broken} {
		version := i + 2
		pending, err := b.apps.CreateRelease(t.Context(), aloft.Release{StageRef: production, Kind: aloft.ConfigRelease})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Stop(t.Context(), production); err != nil { // whatever is next looks at it first
			t.Fatal(err)
		}
		got, err := b.apps.Release(t.Context(), production, pending.Version)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != want || pending.Version != version {
			t.Errorf("v%d is %s, want %s of v%d", got.Version, got.Status, want, version)
		}
	}
}

// TestSaysWaits: whoever goes on after a deploy that was killed sees what is waited for.
func TestSaysWaits(t *testing.T) {
	b := newBench(t, map[string]string{"run": "one"})
	b.Platform = &outliving{b.platform, nil}
	b.up(t)
	if _, err := b.apps.CreateRelease(t.Context(), aloft.Release{StageRef: production, Kind: aloft.ConfigRelease}); err != nil {
		t.Fatal(err)
	}
	b.write(t, map[string]string{"run": "two"})
	b.events = &events{}
	b.up(t)
	if !strings.Contains(b.events.text(), "waiting for what is under way") {
		t.Errorf("nobody said it: %s", b.events.text())
	}
}

// TestUnknownOutcome: whether a release serves whose deploy lost its cloud, or was interrupted, the next command finds out.
func TestUnknownOutcome(t *testing.T) {
	for code, want := range map[aloft.Code]aloft.ReleaseStatus{aloft.Unavailable: aloft.Pending, aloft.Canceled: aloft.Pending, aloft.Failed: aloft.Broken} {
		b := newBench(t, map[string]string{"run": "one"})
		b.Platform = &outliving{b.platform, map[int]bool{2: true}}
		b.up(t)
		b.platform.refuse = aloft.Errorf(code, "a test")
		b.write(t, map[string]string{"run": "two"})
		if _, err := b.Deploy(t.Context(), b.input(), b.events); aloft.ErrorCode(err) != code {
			t.Fatalf("the deploy said %v", err)
		}
		got, err := b.apps.Release(t.Context(), production, 2)
		if err != nil || got.Status != want {
			t.Errorf("after %s v2 is %s, want %s: %v", code, got.Status, want, err)
		}
	}
}
