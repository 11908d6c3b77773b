package local_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestResourcesOfAWSOnly: what this machine has not is refused with the variable to set, unless nobody uses it or whoever does has
// the variable.
func TestResourcesOfAWSOnly(t *testing.T) {
	t.Parallel()
	w, _ := queueWorld(t)
	r := withQueue(1, "5s")
	r.Resources = append(r.Resources, aloft.Resource{Name: "db", Type: aloft.Postgres})
	r.Functions[0].Uses = []string{"jobs", "db"}
	apply := func(r aloft.Release) error { return w.Apply(t.Context(), r, aloft.Discard{}, fine) }
	err := apply(r)
	told, ok := errors.AsType[*aloft.Error](err)
	if !ok || told.Code != aloft.Invalid || !strings.Contains(err.Error(), "no postgres") || !strings.Contains(told.Hint, "aloft config set DATABASE_URL=") {
		t.Fatalf("without the variable: %v", err)
	}
	r.Functions[0].Env = map[string]string{"DATABASE_URL": "postgres://elsewhere"}
	w.apply(t, r)
	if env := w.env(t); env["JOBS_QUEUE_URL"] == "" {
		t.Error("the queue is not there")
	}
	next := withQueue(2, "5s")
	next.Resources, next.Functions[0].Uses = r.Resources, []string{"jobs:send"}
	w.apply(t, next)
	next = withQueue(3, "5s")
	next.Resources = append(next.Resources, aloft.Resource{Name: "carts", Type: aloft.Table})
	next.Functions[0].EventSources = []string{"table:carts"}
	if err := apply(next); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "no tables") {
		t.Errorf("with changes of a table: %v", err)
	}
}
