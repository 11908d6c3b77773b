package sqlite_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

func TestMetas(t *testing.T) {
	t.Parallel()
	s := openStore(t, filepath.Join(t.TempDir(), "db"))
	for _, name := range []string{"a/1", "a/2", "a_1", "A/3", "b/1"} {
		if err := s.SetMeta(t.Context(), name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	names := func(prefix string) []string {
		all, err := s.Metas(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(all))
	}
	if got := names("a/"); !slices.Equal(got, []string{"a/1", "a/2"}) {
		t.Errorf("a/: %q", got)
	}
	if got := names("%"); len(got) != 0 {
		t.Errorf("a wildcard: %q", got)
	}
	for range 2 {
		if err := s.DeleteMeta(t.Context(), "a/1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := names("a/"); !slices.Equal(got, []string{"a/2"}) {
		t.Errorf("after a deletion: %q", got)
	}
}
