package shelf_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

func kind(shared bool) sqlite.Kind {
	return sqlite.Kind{ID: 0x0a10f701, Shared: shared, Schema: fstest.MapFS{"migrations/0001.sql": {Data: []byte(`
		CREATE TABLE things (name TEXT PRIMARY KEY) STRICT;
		CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, body BLOB NOT NULL, due INTEGER NOT NULL,
			tries INTEGER NOT NULL DEFAULT 0) STRICT;`)}}}
}

func open(t *testing.T, path string, shared bool) *shelf.DB {
	t.Helper()
	d, err := shelf.Open(t.Context(), path, kind(shared))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func add(ctx context.Context, d *shelf.DB, name string) error {
	return d.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO things VALUES (?)`, name)
		return err
	})
}

func count(t *testing.T, d *shelf.DB) (n int) {
	t.Helper()
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTogether: changes that come at once share transactions, and one that fails takes no other with it.
func TestTogether(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "a.db"), false)
	var wg sync.WaitGroup
	failed := make(chan error, 100)
	for i := range 100 {
		wg.Go(func() {
			name := string(rune('a' + i%50)) // each name twice: the second fails
			if err := add(t.Context(), d, name); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	if n := count(t, d); n != 50 || len(failed) != 50 {
		t.Errorf("%d things, %d failures", n, len(failed))
	}
}

func TestUndone(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "a.db"), false)
	no := errors.New("no")
	err := d.Write(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO things VALUES ('half')`); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) || count(t, d) != 0 {
		t.Errorf("%v, %d things", err, count(t, d))
	}
	_ = d.Close()
	if err := add(t.Context(), d, "late"); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("after the end: %v", err)
	}
}

// TestOutbox: two processes share what there is, each thing reaches one of them, and what is refused comes again.
func TestOutbox(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	first := open(t, path, false)
	second := open(t, path, true)
	box := shelf.NewOutbox(first)
	if err := first.Write(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		for i := range 40 {
			if err := box.Put(tx, "reader", []byte{byte(i)}); err != nil {
				return err
			}
		}
		return box.Put(tx, "another", []byte("not for it"))
	}); err != nil {
		t.Fatal(err)
	}
	box.Wake()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var mu sync.Mutex
	var got []int
	refused := false
	hand := func(_ context.Context, body []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if body[0] == 7 && !refused {
			refused = true
			return errors.New("not now")
		}
		if got = append(got, int(body[0])); len(got) == 40 {
			cancel()
		}
		return nil
	}
	var wg sync.WaitGroup
	for _, o := range []*shelf.Outbox{box, shelf.NewOutbox(second)} {
		wg.Go(func() {
			if err := o.Deliver(ctx, "reader", hand); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	if len(slices.Compact(slices.Clone(got))) != 40 || len(got) != 40 {
		t.Errorf("%d came: %v", len(got), got)
	}
}

// TestOutboxDrops: what was refused for days is dropped, and no other.

// TestOutboxBeside puts things in without a word, as another process does, each once nothing lies there any more.
func TestOutboxBeside(t *testing.T) {
	t.Parallel()
	const all = 5
	path := filepath.Join(t.TempDir(), "a.db")
	box, other := shelf.NewOutbox(open(t, path, false)), open(t, path, true)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	put := func() {
		for left := 1; left > 0 && ctx.Err() == nil; {
			if err := other.Reader().QueryRowContext(ctx, `SELECT count(*) FROM outbox`).Scan(&left); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
		if err := other.Write(ctx, func(_ context.Context, tx *sql.Tx) error { return box.Put(tx, "reader", []byte("a thing")) }); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(put)
	got := 0
	if err := box.Deliver(ctx, "reader", func(context.Context, []byte) error {
		if got++; got == all {
			cancel()
			return nil
		}
		others.Go(put)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got != all {
		t.Errorf("%d of %d came", got, all)
	}
}

func TestOutboxDrops(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "a.db"), false)
	box := shelf.NewOutbox(d)
	if err := d.Write(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		err := errors.Join(box.Put(tx, "reader", []byte("old")), box.Put(tx, "reader", []byte("new")))
		if err == nil {
			_, err = tx.Exec(`UPDATE outbox SET tries = 2000 WHERE body = CAST('old' AS BLOB)`)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got []string
	if err := box.Deliver(ctx, "reader", func(_ context.Context, body []byte) error {
		if got = append(got, string(body)); len(got) == 3 {
			cancel()
		}
		return errors.New("never")
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"old", "new", "new"}; !slices.Equal(got, want) {
		t.Errorf("handed out %q, want %q", got, want)
	}
}
