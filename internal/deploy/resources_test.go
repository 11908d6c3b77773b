package deploy_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// resources are those of the release that the platform was given, in one line.
func (b *bench) resources() string {
	var all []string
	for _, r := range b.platform.serving[production].Resources {
		all = append(all, r.Type+" "+r.Name+" "+r.Options["visibility"])
	}
	return strings.Join(all, ", ")
}

// TestResourcesArePartOfReleases: they stay with changes of config, change with deploys, and come back with a rollback.
func TestResourcesArePartOfReleases(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "resources: {uploads: bucket, jobs: {type: queue, visibility: 5s}}\n"})
	b.up(t)
	const first = "queue jobs 5s, bucket uploads "
	if got := b.resources(); got != first {
		t.Errorf("the release has %q", got)
	}
	b.set(t, map[string]string{"A": "1"})
	if got := b.resources(); got != first {
		t.Errorf("after a change of config it has %q", got)
	}
	b.write(t, map[string]string{"aloft.yml": "resources: {jobs: {type: queue, visibility: 9s}, orders: topic}\n"})
	plan, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, c := range plan.Changes {
		if c.Kind == "resource" {
			changes = append(changes, string(c.Action)+" "+c.Name)
		}
	}
	if got := strings.Join(changes, ", "); got != "modify jobs, add orders, remove uploads" {
		t.Errorf("the plan has %s", got)
	}
	b.up(t)
	if got := b.resources(); got != "queue jobs 9s, topic orders " {
		t.Errorf("after a deploy it has %q", got)
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 1}, b.events); err != nil {
		t.Fatal(err)
	}
	if got := b.resources(); got != first {
		t.Errorf("after a rollback it has %q", got)
	}
}
