package artifact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

func small(t *testing.T, content string) *artifact.Archive {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{"server*": content, "l": "-> server"})
	return pack(t, scan(t, dir, source.Options{}), artifact.PackOptions{})
}

func TestStore(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	archive := small(t, "1")
	digest := archive.Artifact().Digest
	if store.Has(digest) {
		t.Error("an empty store has it")
	}
	_, err := store.Open(digest)
	coded(t, err, aloft.NotFound, digest[:12])
	made := put(t, store, archive)
	if made != archive.Artifact() || made.Files != 2 {
		t.Errorf("put %v of %v", made, archive.Artifact())
	}
	if again := put(t, store, archive); again != made {
		t.Errorf("put again gives %v", again)
	}
	reopened, err := artifact.Open(dir)
	must(t, err)
	blob, err := reopened.Open(digest)
	must(t, err)
	defer blob.Close()
	got, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
	must(t, err)
	var want bytes.Buffer
	_, err = archive.WriteTo(&want)
	must(t, err)
	if !bytes.Equal(got, want.Bytes()) || int64(len(got)) != made.Size {
		t.Error("other bytes came back")
	}
	for _, bad := range []string{"", "..", "../../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("0", 63) + "/"} {
		if store.Has(bad) {
			t.Errorf("has %q", bad)
		}
		_, err := store.Open(bad)
		coded(t, err, aloft.NotFound)
	}
	noLeftovers(t, dir)
}

func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "tmp"))
	if must(t, err); len(list) > 0 {
		t.Errorf("left over in tmp: %v", list)
	}
}

// TestPutOrder is the rule for what is acknowledged to survive power loss: content durable, then named, then the name
// durable, and the name of a new directory too.
func TestPutOrder(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	archive := small(t, "1")
	digest := archive.Artifact().Digest
	var steps []string
	label := func(path string) string {
		rel, _ := filepath.Rel(dir, path)
		if strings.HasPrefix(rel, "tmp/") {
			return "tmp"
		}
		return strings.ReplaceAll(strings.ReplaceAll(rel, digest, "blob"), digest[:2], "shard")
	}
	watched := store.WithFaults(
		func(path string) error { steps = append(steps, "sync "+label(path)); return nil },
		func(from, to string) error { steps = append(steps, "rename "+label(from)+" "+label(to)); return nil })
	put(t, watched, archive)
	if got, want := strings.Join(steps, ", "), "sync tmp, rename tmp shard/blob, sync shard, sync ."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	steps = nil
	put(t, watched, archive)
	if got, want := strings.Join(steps, ", "), "sync shard, sync ."; got != want {
		t.Errorf("when it is there: got  %s\nwant %s", got, want)
	}
}

// TestPutFaults lets each step fail in turn: Put never acknowledges, leaves nothing half done, and succeeds the next time.
func TestPutFaults(t *testing.T) {
	t.Parallel()
	for fault := range 4 {
		store, dir := open(t)
		archive := small(t, "1")
		step := -1
		ask := func() error {
			if step++; step == fault {
				return &os.PathError{Op: "sync", Path: filepath.Join(dir, "there"), Err: syscall.ENOSPC}
			}
			return nil
		}
		faulty := store.WithFaults(func(string) error { return ask() }, func(string, string) error { return ask() })
		_, err := faulty.Put(t.Context(), archive)
		coded(t, err, aloft.Internal, dir, "no space left on device")
		noLeftovers(t, dir)
		if fault < 2 && store.Has(archive.Artifact().Digest) {
			t.Errorf("fault %d: named before it was durable", fault)
		}
		put(t, store, archive)
	}
}

func TestPutCanceled(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	archive := small(t, "1")
	if _, err := store.Put(ctx, archive); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	noLeftovers(t, dir)
	if store.Has(archive.Artifact().Digest) {
		t.Error("the store has it")
	}
}

func TestPutRepairs(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	archive := small(t, "1")
	made := put(t, store, archive)
	flip(t, filepath.Join(dir, made.Digest[:2], made.Digest), 40)
	put(t, store, archive)
	must(t, store.Extract(t.Context(), made.Digest, filepath.Join(t.TempDir(), "app")))
}

func flip(t *testing.T, file string, at int) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	data[at] ^= 1
	must(t, os.WriteFile(file, data, 0o600))
}

func TestPutAtOnce(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	archives := []*artifact.Archive{small(t, "1"), small(t, "2")}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if _, err := store.Put(t.Context(), archives[i%2]); err != nil {
				t.Error(err)
			}
			if _, _, err := store.Collect(t.Context(), nil, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	noLeftovers(t, dir)
	for i, a := range archives {
		must(t, store.Extract(t.Context(), a.Artifact().Digest, filepath.Join(t.TempDir(), fmt.Sprint("app", i))))
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	kept, old, young := put(t, store, small(t, "kept")), put(t, store, small(t, "old")), put(t, store, small(t, "young"))
	past := time.Now().Add(-48 * time.Hour)
	age := func(digest string) {
		must(t, os.Chtimes(filepath.Join(dir, digest[:2], digest), past, past))
		must(t, os.Chtimes(filepath.Join(dir, digest[:2], digest+".entries"), past, past))
	}
	age(kept.Digest)
	age(old.Digest)
	write(t, dir, map[string]string{"tmp/killed": "x", "tmp/running": "x"})
	must(t, os.Chtimes(filepath.Join(dir, "tmp/killed"), past, past))

	removed, bytes, err := store.Collect(t.Context(), map[string]bool{kept.Digest: true}, 24*time.Hour)
	if err != nil || removed != 1 || bytes != old.Size {
		t.Errorf("removed %d with %d bytes, %v", removed, bytes, err)
	}
	if !store.Has(kept.Digest) || store.Has(old.Digest) || !store.Has(young.Digest) {
		t.Error("the wrong artifacts are left")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	if len(left) != 5 { // two artifacts with their entries, tmp/running
		t.Errorf("left: %v", left)
	}
	// Put of what is there renews it.
	age(young.Digest)
	put(t, store, small(t, "young"))
	if removed, _, err := store.Collect(t.Context(), nil, 24*time.Hour); err != nil || removed != 1 || !store.Has(young.Digest) {
		t.Errorf("removed %d, %v", removed, err)
	}
}
