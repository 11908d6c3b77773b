// Package resourcetest holds the laws that every kind of resource obeys.
package resourcetest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// Kind is a kind under test. Open opens what lies in a directory; the function it returns closes it.
type Kind struct {
	Open func(t *testing.T, dir string) (resource.Type, func())
	// Good are options that the kind has.
	Good map[string]string
}

// Run checks the laws.
func Run(t *testing.T, k Kind) {
	for _, law := range []struct {
		name  string
		check func(*testing.T, Kind)
	}{
		{"making twice is making once", once},
		{"it outlives its process", lasts},
		{"two processes have it open", shared},
		{"a name has one owner", owned},
		{"removal takes what one owner has", removed},
		{"unknown options are refused", options},
		{"what is not visible is not shown", hidden},
	} {
		t.Run(law.name, func(t *testing.T) { t.Parallel(); law.check(t, k) })
	}
}

func stage(name string) aloft.StageRef { return aloft.StageRef{App: "shop", Stage: name} }

func claim(k Kind, owner aloft.StageRef) resource.Claim {
	r := aloft.Resource{Name: "thing", Options: k.Good}
	return resource.Claim{Owner: owner, Name: owner.ResourceName(r), Options: k.Good, Sibling: func(name string) string { return name }}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, r resource.Type, owner aloft.StageRef) []string {
	t.Helper()
	list, err := r.List(t.Context(), owner)
	must(t, err)
	all := []string{}
	for _, s := range list {
		if s.Type != r.Kind() || s.ARN != resource.ARN(r.Kind(), s.Name) || len(s.Counts) == 0 {
			t.Errorf("what is listed is incomplete: %+v", s)
		}
		all = append(all, s.Name)
	}
	return all
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("it lists %v, want %v", got, want)
	}
}

func once(t *testing.T, k Kind) {
	r, end := k.Open(t, t.TempDir())
	defer end()
	must(t, r.Provision(t.Context(), claim(k, stage("one"))))
	must(t, r.Provision(t.Context(), claim(k, stage("one"))))
	expect(t, names(t, r, stage("one")), claim(k, stage("one")).Name)
}

func lasts(t *testing.T, k Kind) {
	dir := t.TempDir()
	r, end := k.Open(t, dir)
	must(t, r.Provision(t.Context(), claim(k, stage("one"))))
	end()
	r, end = k.Open(t, dir)
	defer end()
	expect(t, names(t, r, stage("one")), claim(k, stage("one")).Name)
}

func shared(t *testing.T, k Kind) {
	dir := t.TempDir()
	first, end := k.Open(t, dir)
	defer end()
	second, end := k.Open(t, dir)
	defer end()
	must(t, first.Provision(t.Context(), claim(k, stage("one"))))
	must(t, second.Provision(t.Context(), claim(k, stage("two"))))
	for _, r := range []resource.Type{first, second} {
		expect(t, names(t, r, aloft.StageRef{}), claim(k, stage("one")).Name, claim(k, stage("two")).Name)
	}
}

func owned(t *testing.T, k Kind) {
	r, end := k.Open(t, t.TempDir())
	defer end()
	c := claim(k, stage("one"))
	must(t, r.Provision(t.Context(), c))
	c.Owner = stage("two")
	if err := r.Provision(t.Context(), c); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("another owner gets %v, want a conflict", err)
	}
}

func removed(t *testing.T, k Kind) {
	r, end := k.Open(t, t.TempDir())
	defer end()
	must(t, r.Provision(t.Context(), claim(k, stage("one"))))
	must(t, r.Provision(t.Context(), claim(k, stage("two"))))
	must(t, r.Remove(t.Context(), stage("one")))
	must(t, r.Remove(t.Context(), stage("one")))
	expect(t, names(t, r, aloft.StageRef{}), claim(k, stage("two")).Name)
}

func options(t *testing.T, k Kind) {
	r, end := k.Open(t, t.TempDir())
	defer end()
	must(t, r.Check(nil))
	must(t, r.Check(k.Good))
	if err := r.Check(map[string]string{"colour": "red"}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("an unknown option gives %v", err)
	}
}

// hidden: whoever may see nothing gets an answer of a client's error, or an empty one, never the other's name.
func hidden(t *testing.T, k Kind) {
	r, end := k.Open(t, t.TempDir())
	defer end()
	must(t, r.Provision(t.Context(), claim(k, stage("one"))))
	w := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	r.Handler(resource.Visible{Only: map[resource.Named]bool{}}).ServeHTTP(w, request)
	if w.Code >= http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
	if body := w.Body.String(); strings.Contains(body, claim(k, stage("one")).Name) {
		t.Errorf("it shows what is not visible: %s", body)
	}
}
