package bucket_test

import (
	"context"
	"errors"
	"math"
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

// TestUploadRoom: an upload in parts takes the room of its parts and no more: they become the object. It is counted once after that.
func TestUploadRoom(t *testing.T) {
	t.Parallel()
	s, ctx := openStore(t, t.TempDir()), t.Context()
	shop := aloft.StageRef{App: "shop", Stage: "production"}
	s.Limit(resource.NewQuota(resource.QuotaOptions{
		Most: 1000, Size: func(ctx context.Context, owner string) (int64, error) { return s.Size(ctx, owner) },
		Disk: resource.NewDisk(func() (int64, int64, error) { return math.MaxInt64 / 2, math.MaxInt64, nil }),
	}))
	if err := s.Provision(ctx, resource.Claim{Owner: shop, Name: "pictures"}); err != nil {
		t.Fatal(err)
	}
	id, err := s.StartUpload(ctx, "pictures", "u", nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 10; n++ {
		if _, err := s.PutPart(ctx, "pictures", "u", id, n, strings.NewReader(strings.Repeat("x", 100))); err != nil {
			t.Fatal(err)
		}
	}
	o, err := s.FinishUpload(ctx, "pictures", "u", id, func(stored []bucket.Part) ([]bucket.Part, error) { return stored, nil })
	if err != nil || o.Size != 1000 {
		t.Fatalf("an upload of all the room: %d bytes, %v", o.Size, err)
	}
	if _, err = s.Put(ctx, "pictures", "more", nil, strings.NewReader("x"), nil); !isFull(err) {
		t.Errorf("beside it: %v", err)
	}
}

func isFull(err error) bool {
	_, full := errors.AsType[*resource.Full](err)
	return full
}
