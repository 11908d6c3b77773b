package lineage_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
)

var shop = aloft.StageRef{App: "shop", Stage: "production"}

// TestLoop: two functions that call each other for ever are both found out, and one beside them is not.
func TestLoop(t *testing.T) {
	t.Parallel()
	trace, root := "", ""
	for i := range lineage.Most {
		for _, name := range []string{"ping", "pong"} {
			if lineage.Loops(trace, shop, name) || lineage.Passes(trace, shop, name) != i {
				t.Fatalf("pass %d of %s: %s", i, name, trace)
			}
			trace = lineage.Step(trace, shop, name)
			before, _, _ := strings.Cut(trace, ";")
			if root != "" && before != root {
				t.Fatalf("another root: %s", trace)
			}
			root = before
		}
	}
	for name, loops := range map[string]bool{"ping": true, "pong": true, "other": false} {
		if lineage.Loops(trace, shop, name) != loops {
			t.Errorf("%s: %v", name, !loops)
		}
	}
	if lineage.Loops(trace, aloft.StageRef{App: "shop", Stage: "staging"}, "ping") {
		t.Error("a stage is taken for another")
	}
}

// TestLong: a trace has an end, whatever is in it.
func TestLong(t *testing.T) {
	t.Parallel()
	trace := ""
	for i := range 200 {
		trace = lineage.Step(trace, shop, fmt.Sprint("f", i))
	}
	if len(trace) > 600 || lineage.Passes(trace, shop, "f199") != 1 {
		t.Errorf("%d bytes: %s", len(trace), trace)
	}
	if got := lineage.Step("Lineage=x:y|:|a:-3|b:99;;Root=1-a-b;Lineage=", shop, "f"); !strings.HasPrefix(got, "Root=1-a-b;Parent=") || !strings.Contains(got, "Lineage=b:16|") {
		t.Error(got)
	}
}

// TestHeader: what SDKs escape is read, and what can be no trace is not.
func TestHeader(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Root=1;Lineage=a:1%7Cb:2": "Root=1;Lineage=a:1|b:2",
		"Root=1%0d%0a":             "",
		"Root=%zz":                 "",
		strings.Repeat("a", 2000):  "",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(lineage.Header, said)
		if got := lineage.Of(r); got != want {
			t.Errorf("%.40q: %.40q", said, got)
		}
	}
}

// TestJoin: a client's own trace keeps its words, and the lineage of the request is added.
func TestJoin(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"", "Root=2;Lineage=a:1", "Root=2;Lineage=a:1"},
		{"Root=1;Sampled=1", "Root=2;Lineage=a:1;X=1", "Root=1;Sampled=1;Lineage=a:1"},
		{"Root=1;Lineage=b:2", "Root=2;Lineage=a:1", "Root=1;Lineage=b:2"},
		{"Root=1", "Root=2", "Root=1"},
	} {
		if got := lineage.Join(c[0], c[1]); got != c[2] {
			t.Errorf("%q", got)
		}
	}
}
