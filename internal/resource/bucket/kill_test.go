package bucket_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/resource/bucket"
	"github.com/aloft-run/aloft/internal/resource/resourcetest"
)

// putterEnv makes this test binary a process that writes objects below a directory and says each that was acknowledged.
const putterEnv = "ALOFT_TEST_PUTTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(putterEnv); dir != "" {
		fmt.Println(putAll(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// content is what object n holds after its i-th write. Each is written twice: the second write replaces a file.
func content(n, i int) string { return strings.Repeat(fmt.Sprintf("%d.%d ", n, i), 2000) }

func putAll(dir string) error {
	ctx := context.Background()
	s, err := bucket.Open(ctx, dir, false)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		for i := range 2 {
			if _, err := s.Put(ctx, "pictures", strconv.Itoa(n), nil, strings.NewReader(content(n, i)), nil); err != nil {
				return err
			}
		}
		fmt.Println(n)
	}
}

// TestKill: after kill -9 every object that was acknowledged is there, whole and in its last version, and the watcher is told
// of every write.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openStore(t, dir)
	if err := store.Create(t.Context(), "pictures", ""); err != nil {
		t.Fatal(err)
	}
	if err := store.Watch(t.Context(), "pictures", "thumbs"); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	for round := range 3 {
		acknowledged := resourcetest.Killed(t, putterEnv+"="+dir, 10+20*round)
		store := openStore(t, dir)
		for n := range acknowledged {
			_, r, err := store.Get(t.Context(), "pictures", strconv.Itoa(n), nil)
			if err != nil {
				t.Fatalf("object %d of %d acknowledged: %v", n, acknowledged, err)
			}
			got, _ := io.ReadAll(r)
			_ = r.Close()
			if string(got) != content(n, 1) {
				t.Fatalf("object %d holds %.20q, %d bytes", n, got, len(got))
			}
		}
		told(t, store, 2*acknowledged)
		_ = store.Close()
	}
}

// told takes events until there were so many.
func told(t *testing.T, store *bucket.Store, least int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	n := 0
	if err := store.Deliver(ctx, "thumbs", func(context.Context, bucket.Event) error {
		if n++; n >= least {
			cancel()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n < least {
		t.Fatalf("told of %d writes, %d were acknowledged", n, least)
	}
}
