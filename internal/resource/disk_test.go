package resource_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/resource"
)

// TestDisk: a byte of the disk is counted once, as reserved or as gone, whoever looks when; and all owners of all quotas share it.
func TestDisk(t *testing.T) {
	t.Parallel()
	const gb = 1 << 30
	synctest.Test(t, func(t *testing.T) {
		ctx, free := t.Context(), int64(11*gb) // 10 GB beyond what is left free
		disk := resource.NewDisk(func() (int64, int64, error) { return free, 100 * gb, nil })
		quota := func(had int64) *resource.Quota {
			return resource.NewQuota(resource.QuotaOptions{Most: 100 * gb, Disk: disk, Size: func(context.Context, string) (int64, error) { return had, nil }})
		}
		objects, events := quota(1), quota(0)
		write := func(w *resource.Write, n int64) {
			free -= n
			w.Wrote(n)
			time.Sleep(time.Minute) // all is looked at again
		}
		reserve := func(q *resource.Quota, owner string, n int64, ok bool) {
			t.Helper()
			leave, err := q.Reserve(ctx, owner, n)
			defer leave()
			if full, is := errors.AsType[*resource.Full](err); is == ok || is && full.Most != 0 {
				t.Errorf("%d bytes of %s: %v", n, owner, err)
			}
		}
		sized := objects.Begin("a")
		if err := sized.Add(ctx, 8*gb); err != nil {
			t.Fatal(err)
		}
		write(sized, 5*gb)
		reserve(objects, "a", 3*gb, false)
		time.Sleep(time.Minute)
		reserve(objects, "b", 2*gb, true)
		time.Sleep(time.Minute)
		reserve(events, "c", 2*gb+1, false)
		if _, err := objects.Reserve(ctx, "d", math.MaxInt64); err == nil { // a client may say so
			t.Error("there is room for all numbers")
		}
		write(sized, 3*gb)
		sized.End()
		free = 11 * gb
		time.Sleep(time.Minute)
		whole := objects.Begin("a") // not sized: all of the room
		for i := range 10 {
			if err := whole.Add(ctx, gb); err != nil {
				t.Fatalf("GB number %d of 10, of 10 that are free: %v", i+1, err)
			}
			write(whole, gb)
		}
		reserve(objects, "b", 1, false)
		whole.End()
		free = 11 * gb
		time.Sleep(time.Minute)
		first := objects.Begin("c")
		if err := first.Add(ctx, 9*gb); err != nil {
			t.Fatal(err)
		}
		reserve(objects, "d", 9*gb, false)
		reserve(events, "d", 9*gb, false)
		first.End() // nothing of it was written
		time.Sleep(time.Minute)
		reserve(events, "d", 9*gb, true)
	})
}
