package resource_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/resource"
)

// TestQuota: an owner gets as much as it may have and no more, whoever writes at once; what it deletes it may write again; another
// owner is not touched; and the disk keeps its rest.
func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sizes, free, looks := map[string]int64{}, int64(1<<40), 0
		q := resource.NewQuota(resource.QuotaOptions{
			Most: 1000,
			Size: func(_ context.Context, owner string) (int64, error) {
				mu.Lock()
				defer mu.Unlock()
				looks++
				return sizes[owner], nil
			},
			Disk: resource.NewDisk(func() (int64, int64, error) { return free, 1 << 41, nil }),
		})
		write := func(owner string, n int64) error {
			leave, err := q.Reserve(t.Context(), owner, n)
			if err == nil {
				mu.Lock()
				sizes[owner] += n
				mu.Unlock()
				leave()
			}
			return err
		}
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() { _ = write("a", 10) })
		}
		wg.Wait()
		if sizes["a"] != 1000 || looks > 2 {
			t.Fatalf("%d bytes were written, with %d looks", sizes["a"], looks)
		}
		var full *resource.Full
		if err := write("a", 1); !errors.As(err, &full) || full.Most != 1000 || !strings.Contains(err.Error(), "--resources-limit") {
			t.Error(err)
		}
		if err := write("b", 1000); err != nil {
			t.Error(err)
		}
		sizes["a"] = 500
		time.Sleep(100 * time.Millisecond)
		if err := write("a", 500); err != nil {
			t.Error("after a deletion:", err)
		}
		sizes["a"] = 0
		time.Sleep(time.Minute)
		leave, err := q.Reserve(t.Context(), "a", 600) // an upload that takes long
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := write("a", 600); !errors.As(err, &full) {
			t.Error("beside a long upload:", err)
		}
		leave()
		free = 1<<30 + 5 // five above what is left free
		time.Sleep(time.Minute)
		if err := write("c", 6); !errors.As(err, &full) || full.Most != 0 {
			t.Error("nearly full:", err)
		}
		if err := write("c", 5); err != nil {
			t.Error(err)
		}
	})
}
