package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

func (b *bench) sources(t *testing.T, change aloft.Sources) (aloft.Deployment, error) {
	t.Helper()
	return b.Tune(t.Context(), aloft.TuneInput{Stage: production, Set: map[string]aloft.Tuning{"web": {Sources: &change}}}, b.events)
}

// TestEventSourcesArePartOfReleases: aloft.yml's and the operator's lie side by side, later deploys keep what an operator said,
// and a rollback brings all of it back.
func TestEventSourcesArePartOfReleases(t *testing.T) {
	t.Parallel()
	const manifest = "functions: {web: {events: ['schedule:rate(5 minutes)', 'schedule:rate(1 hour)?name=hourly']}, mailer: {command: ./mail}}\n"
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": manifest})
	b.up(t)
	expect := func(when string, want ...string) {
		t.Helper()
		if got := b.runs()["web"].EventSources; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	change := func(c aloft.Sources) aloft.Deployment {
		t.Helper()
		d, err := b.sources(t, c)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	five, hour, day := "schedule:rate(5 minutes)", "schedule:rate(1 hour)?name=hourly", "schedule:rate(1 day)"
	expect("as the source has it", five, hour)
	d := change(aloft.Sources{Add: []string{"schedule:rate( 1 day )"}})
	if expect("added", five, hour, day); d.Release.Description != "event-sources web=+schedule:rate(1 day)" || d.Release.Kind != aloft.TuneRelease {
		t.Errorf("the release is %+v", d.Release)
	}
	if again := change(aloft.Sources{Add: []string{day, five}}); !again.Unchanged {
		t.Errorf("what it has made v%d", again.Release.Version)
	}
	change(aloft.Sources{Remove: []string{"schedule:rate(1 hour)"}}) // without its options
	expect("removed", five, day)
	b.write(t, map[string]string{"run": "two", "aloft.yml": manifest})
	b.up(t)
	expect("after a deploy", five, day)
	change(aloft.Sources{Add: []string{hour}})
	expect("added again", five, hour, day)
	change(aloft.Sources{Clear: true})
	expect("cleared")
	change(aloft.Sources{Add: []string{five}})
	expect("after that", five)
	change(aloft.Sources{Add: []string{hour}})
	if _, set := b.platform.serving[production].Tuning["web"]; set {
		t.Errorf("what equals the source is kept as an operator's word")
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 2}, b.events); err != nil {
		t.Fatal(err)
	}
	expect("after a rollback", five, hour, day)
}

func TestBadEventSources(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "functions: {mailer: {command: ./mail}}\n"})
	b.up(t)
	for _, c := range []struct {
		function string
		change   aloft.Sources
		says     string
		code     aloft.Code
	}{
		{"web", aloft.Sources{Add: []string{"schedule:rate(5 parsecs)"}}, "minutes, hours or days", aloft.Invalid},
		{"web", aloft.Sources{Add: []string{"clock:x"}}, `no kind "clock"`, aloft.Invalid},
		{"web", aloft.Sources{Remove: []string{"schedule:rate(1 day)"}}, "has no event source", aloft.NotFound},
		{"mailer", aloft.Sources{Add: []string{"schedule:rate(1 day)"}}, "worker", aloft.Invalid},
		{"nobody", aloft.Sources{Clear: true}, "nobody", aloft.NotFound},
	} {
		_, err := b.Tune(t.Context(), aloft.TuneInput{Stage: production, Set: map[string]aloft.Tuning{c.function: {Sources: &c.change}}}, b.events)
		if aloft.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %+v: %v, want %s and %q", c.function, c.change, err, c.code, c.says)
		}
	}
	b.write(t, map[string]string{"aloft.yml": "functions: {mailer: {command: ./mail, events: 'schedule:rate(1 day)'}}\n"})
	if _, err := b.Deploy(t.Context(), b.input(), b.events); err == nil || !strings.Contains(err.Error(), "mailer is a worker") {
		t.Errorf("a worker with events: %v", err)
	}
}
