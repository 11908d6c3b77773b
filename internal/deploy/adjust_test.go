package deploy_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// TestAdjust: limits and variables of one function are one release, later ones keep them, and a rollback undoes them.
func TestAdjust(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "functions: {web: {memory: 64}, mailer: {command: ./mail}}\n"})
	b.up(t)
	b.set(t, map[string]string{"A": "all"})
	adjust := func(input aloft.AdjustInput) aloft.Deployment {
		t.Helper()
		input.Stage, input.Author, input.Description = production, "somebody", "because"
		d, err := b.Adjust(t.Context(), input, b.events)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	config := func() aloft.Config {
		t.Helper()
		c, err := b.Unseal(t.Context(), b.platform.serving[production])
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	d := adjust(aloft.AdjustInput{
		Function: "web", Set: aloft.Tuning{Memory: 128, Timeout: aloft.Duration(time.Minute)}, Variables: map[string]string{"A": "own", "B": "secret-1"},
	})
	if r := d.Release; r.Version != 3 || r.Kind != aloft.TuneRelease || r.Author != "somebody" ||
		r.Description != "because: memory web=128MB, timeout web=1m0s, set web/A, web/B" {
		t.Errorf("the release is %+v", r)
	}
	if web := b.runs()["web"]; web.Memory != 128 {
		t.Errorf("it runs as %+v", web)
	}
	if got := config().For("web"); !maps.Equal(got, aloft.Config{"A": "own", "B": "secret-1"}) {
		t.Errorf("it has %#v", map[string]string(got))
	}
	for _, function := range []string{"mailer", ""} {
		if got := config().For(function); !maps.Equal(got, aloft.Config{"A": "all"}) {
			t.Errorf("%q has %#v", function, map[string]string(got))
		}
	}
	if again := adjust(aloft.AdjustInput{Function: "web", Set: aloft.Tuning{Memory: 128}, Variables: map[string]string{"A": "own"}}); !again.Unchanged {
		t.Errorf("the same again made v%d", again.Release.Version)
	}
	b.write(t, map[string]string{"run": "two"})
	b.up(t)
	if web, c := b.runs()["web"], config(); web.Memory != 128 || c.For("web")["A"] != "own" {
		t.Errorf("after a deploy it runs as %+v", web)
	}
	if d = adjust(aloft.AdjustInput{Function: "web", Reset: []aloft.TuningField{aloft.MemoryField}, Unset: []string{"A", "nothing"}}); d.Unchanged || config().For("web")["A"] != "all" {
		t.Errorf("after a reset: %+v", d.Release)
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 3}, b.events); err != nil {
		t.Fatal(err)
	}
	if web := b.runs()["web"]; web.Memory != 128 || config().For("web")["A"] != "own" {
		t.Errorf("after a rollback it runs as %+v", web)
	}
	for code, bad := range map[aloft.Code]aloft.AdjustInput{
		aloft.NotFound: {Function: "wep", Variables: map[string]string{"A": "b"}},
		aloft.Invalid:  {Function: "web", Variables: map[string]string{"a b": "c"}},
	} {
		bad.Stage = production
		_, err := b.Adjust(t.Context(), bad, b.events)
		fails(t, err, code)
	}
	_, err := b.Adjust(t.Context(), aloft.AdjustInput{Stage: production, Function: "mailer", Set: scale(1, 2)}, b.events)
	fails(t, err, aloft.Invalid, "fixed number")
}
