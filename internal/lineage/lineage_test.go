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
		{"Root=1\r\nHost: x", "Root=2;Lineage=a:1", "Root=2;Lineage=a:1"}, // what can be no trace
		{"Root=1\r\nHost: x", "Root=2", "Root=2"},
		{"Root=" + strings.Repeat("1", 2000), "Root=2;Lineage=a:1", "Root=2;Lineage=a:1"},
		{"Root=" + strings.Repeat("1", 1015), "Root=2;Lineage=a:1", "Root=2;Lineage=a:1"}, // or not with the lineage
		{"Lineage=ä:2", "Root=2;Lineage=a:1", "Root=2;Lineage=a:1"},
	} {
		if got := lineage.Join(c[0], c[1]); got != c[2] {
			t.Errorf("%q", got)
		}
	}
}

// TestForeign: whatever somebody says is a trace, a function's own is a header with an end, which a request may have, and its
// lineage is not lost on the way.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"Root=1\r\nX-Admin: yes", "Root=ä", "Root=\x7f", "Root=\x00;Lineage=a:1", "Root=" + strings.Repeat("1", 100_000), "Root=" + strings.Repeat("1", 1000),
		"Lineage=" + strings.Repeat("f", 1000) + ":1",
	} {
		trace := lineage.Step(said, shop, "f")
		for i := range 40 {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set(lineage.Header, trace)
			if len(trace) > 600 || lineage.Of(r) != trace || strings.ContainsAny(trace, "\r\n\x00") {
				t.Fatalf("%.40q: %d bytes, %.80q", said, len(trace), trace)
			}
			trace = lineage.Step(trace, shop, fmt.Sprint("f", i))
		}
	}
	if got := lineage.Passes("Root=1\n;Lineage="+strings.Repeat("b:16|", 10), shop, "f"); got != 0 {
		t.Error(got)
	}
}

// TestPassed: traces are alike that say the same of functions, whatever else they say.
func TestPassed(t *testing.T) {
	t.Parallel()
	trace := lineage.Step(lineage.Step("", shop, "f"), shop, "g")
	for _, c := range []struct {
		other string
		alike bool
	}{
		{lineage.Step(lineage.Step("", shop, "f"), shop, "g"), true},
		{trace + ";X=1;Lineage=nothing", true},
		{lineage.Step("", shop, "f"), false},
		{lineage.Step(trace, shop, "g"), false},
		{"", false},
	} {
		if got := lineage.Passed(c.other) == lineage.Passed(trace); got != c.alike {
			t.Errorf("%q and %q: %v", trace, c.other, got)
		}
	}
	if got := lineage.Passed("Root=1"); got != "" {
		t.Errorf("without a lineage: %q", got)
	}
}
