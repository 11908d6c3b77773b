package aloft_test

import (
	"slices"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestSources: a change upon a change is what both say, and none of it is shared.
func TestSources(t *testing.T) {
	source := []string{"a", "b"}
	for _, c := range []struct {
		name    string
		changes []aloft.Sources
		want    []string
	}{
		{"nothing", nil, []string{"a", "b"}},
		{"added", []aloft.Sources{{Add: []string{"c"}}}, []string{"a", "b", "c"}},
		{"added twice", []aloft.Sources{{Add: []string{"c"}}, {Add: []string{"c", "a"}}}, []string{"a", "b", "c"}},
		{"removed", []aloft.Sources{{Remove: []string{"a"}}}, []string{"b"}},
		{"removed and added", []aloft.Sources{{Remove: []string{"a"}}, {Add: []string{"a"}}}, []string{"a", "b"}},
		{"added and removed", []aloft.Sources{{Add: []string{"c"}}, {Remove: []string{"c"}}}, []string{"a", "b"}},
		{"cleared", []aloft.Sources{{Add: []string{"c"}}, {Clear: true}}, nil},
		{"cleared and added", []aloft.Sources{{Clear: true}, {Add: []string{"b"}}}, []string{"b"}},
	} {
		var all aloft.Tuning
		for i := range c.changes {
			all = aloft.Tuning{Sources: &c.changes[i]}.Over(all)
		}
		if got := all.Apply(aloft.Function{EventSources: source}).EventSources; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	r := aloft.Release{Tuning: map[string]aloft.Tuning{"web": {Sources: &aloft.Sources{Add: []string{"a"}}}}}
	r.Clone().Tuning["web"].Sources.Add[0] = "changed"
	if r.Tuning["web"].Sources.Add[0] != "a" {
		t.Error("a copy of a release shares its sources")
	}
}
