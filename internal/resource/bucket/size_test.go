package bucket_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/bucket"
)

// TestSize: what an owner is said to have is what its objects and uploads have, whatever becomes of them.
func TestSize(t *testing.T) {
	t.Parallel()
	s, ctx := openStore(t, t.TempDir()), t.Context()
	shop, other := aloft.StageRef{App: "shop", Stage: "production"}, aloft.StageRef{App: "other", Stage: "production"}
	for name, owner := range map[string]aloft.StageRef{"pictures": shop, "more": shop, "elsewhere": other} {
		if err := s.Provision(ctx, resource.Claim{Owner: owner, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want int64) {
		t.Helper()
		if got, err := s.Size(ctx, resource.OwnerText(shop)); got != want || err != nil {
			t.Errorf("%s: %d bytes, want %d: %v", when, got, want, err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	store := func(name, key string, n int) {
		t.Helper()
		_, err := s.Put(ctx, name, key, nil, strings.NewReader(strings.Repeat("x", n)), nil)
		must(err)
	}
	store("pictures", "a", 100)
	store("pictures", "a", 30)
	store("more", "b", 7)
	store("elsewhere", "c", 1000)
	check("replaced", 37)
	for _, finish := range []bool{true, false} {
		id, err := s.StartUpload(ctx, "pictures", "u", nil)
		must(err)
		for _, n := range []int{50, 20} {
			_, err = s.PutPart(ctx, "pictures", "u", id, 1, strings.NewReader(strings.Repeat("x", n)))
			must(err)
		}
		if finish {
			check("uploading", 57)
			_, err = s.FinishUpload(ctx, "pictures", "u", id, func(stored []bucket.Part) ([]bucket.Part, error) { return stored, nil })
			must(err)
		} else {
			check("uploading again", 77)
			must(s.AbortUpload(ctx, "pictures", "u", id))
		}
		check("uploaded", 57)
	}
	must(s.DeleteObject(ctx, "pictures", "a"))
	must(s.DeleteObject(ctx, "pictures", "none"))
	check("deleted", 27)
	must(s.Delete(ctx, "pictures", true))
	check("without the bucket", 7)
}
