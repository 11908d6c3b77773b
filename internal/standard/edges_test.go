package standard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// granted are the statements of the role of web, which uses and gets events from some of the graph, as texts.
func granted(t *testing.T, uses, events []string) []string {
	t.Helper()
	kinds := standard.EventSources(standard.Sourced{})
	out, err := stack.Render(stack.Input{
		Region: "eu-west-1", Kinds: standard.CloudKinds(), Sources: func(uri string) (eventsource.Source, error) { return kinds.Parse(stage(), uri) },
		Release: aloft.Release{
			StageRef: stage(), Version: 1, Resources: graph(),
			Functions: []aloft.Function{
				{Name: "web", Kind: aloft.Web, Command: []string{"./server"}, Uses: uses, EventSources: events},
				{Name: "other", Kind: aloft.Handler, Runtime: "python3.13", Handler: "app.handler"},
			},
			AWS: &aloft.AWS{
				Regions: []string{"eu-west-1"},
				VPC:     &aloft.VPC{Subnets: []string{"subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718"}, SecurityGroups: []string{"sg-0a1b2c3d4e5f60718"}},
			},
		},
	})
	if err != nil {
		t.Fatalf("%q: %v", uses, err)
	}
	var all []string
	for _, s := range out.Statements {
		switch {
		case s.Why == "":
			t.Errorf("nobody knows why %s may %v", s.Function, s.Action)
		case s.Function == "web":
			all = append(all, asJSON(t, s.Statement)+" because "+s.Why)
		case strings.Contains(s.Why, "uses"):
			t.Errorf("an edge of web gives %s a statement: %s", s.Function, s.Why)
		}
	}
	return all
}

// TestAnEdgeAddsItsStatements: whatever a function has, one edge more adds the statements of that edge, each because of it, and
// changes nothing else.
func TestAnEdgeAddsItsStatements(t *testing.T) {
	t.Parallel()
	var uses []string
	before := granted(t, nil, nil)
	for _, r := range graph() {
		for _, word := range append([]string{""}, aloft.EdgeWords(r.Type)...) {
			edge := aloft.Edge{Resource: r.Name, Word: word}.String()
			if len(uses) > 20 { // a role has room for no more
				uses, before = nil, granted(t, nil, nil)
			}
			uses = append(uses, edge)
			after := granted(t, uses, nil)
			added := slices.DeleteFunc(slices.Clone(after), func(s string) bool { return slices.Contains(before, s) })
			if len(after) != len(before)+len(added) {
				t.Errorf("%s takes statements away", edge)
			}
			want := []string{}
			for _, s := range rendered(t, r, func(in *resource.Rendering) { in.ID += strings.ToUpper(r.Type[:1]) + r.Type[1:] }).Access[word] {
				s.Effect = "Allow"
				want = append(want, asJSON(t, s)+" because web uses "+edge)
			}
			if !slices.Equal(added, want) && len(added)+len(want) > 0 {
				t.Errorf("%s adds\n%s\nwant\n%s", edge, strings.Join(added, "\n"), strings.Join(want, "\n"))
			}
			before = after
		}
	}
}
