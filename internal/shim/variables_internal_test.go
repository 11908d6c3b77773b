package shim

import (
	"maps"
	"testing"
)

func TestVariablesOf(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]map[string]string{
		`{"web": {"A": "b"}, "work": {"A": "c"}}`: {"A": "b"}, `{"A": "b"}`: {"A": "b"}, `{"work": {"A": "c"}}`: nil, `{}`: nil,
	} {
		if got, ok := variablesOf(secret, "web"); !ok || !maps.Equal(got, want) {
			t.Errorf("%s has %v (%v), want %v", secret, got, ok, want)
		}
	}
	for _, secret := range []string{"", "[]", `{"A": 1}`, "hunter2"} {
		if got, ok := variablesOf(secret, "web"); ok {
			t.Errorf("%q has %v", secret, got)
		}
	}
}
