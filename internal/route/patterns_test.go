package route_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/route"
)

func TestCheckPatterns(t *testing.T) {
	if err := route.CheckPatterns([]string{"/create", "/create/", "POST /items/{id}", "GET /items/{id}", "/files/{path...}"}); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]string{
		"twice": {"/a", "/a"}, "both match": {"/{a}/x", "/x/{b}"}, "no brace": {"/items/{id"}, "empty": {""}, "half a segment": {"/a{b}"},
	} {
		if route.CheckPatterns(bad) == nil {
			t.Errorf("%s: %q is accepted", name, bad)
		}
	}
}
