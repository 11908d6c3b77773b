package sqlite_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// things is a database of a version that knows no sizes, and sized one of a version that does.
var (
	things = sqlite.Kind{ID: 0x7e57, Schema: thingsSchema()}
	sized  = sqlite.Kind{ID: 0x7e57, Schema: thingsSchema(), Sizes: sqlite.Sizes{
		Make: `DROP TABLE IF EXISTS sizes; CREATE TABLE sizes (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
			DROP TRIGGER IF EXISTS things_put; CREATE TRIGGER things_put AFTER INSERT ON things BEGIN
				INSERT INTO sizes VALUES (new.owner, new.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
			END;
			DROP TRIGGER IF EXISTS things_gone; CREATE TRIGGER things_gone AFTER DELETE ON things BEGIN
				INSERT INTO sizes VALUES (old.owner, -old.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
			END`,
		Count: `SELECT owner, SUM(bytes) FROM things GROUP BY owner`,
	}}
)

func thingsSchema() fs.FS {
	return fstest.MapFS{"migrations/0001.sql": {Data: []byte(`CREATE TABLE things (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT`)}}
}

func openKind(t *testing.T, path string, kind sqlite.Kind) *sqlite.Database {
	t.Helper()
	d, err := sqlite.OpenDatabase(t.Context(), path, kind)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func joined(kind sqlite.Kind) sqlite.Kind {
	kind.Shared = true
	return kind
}

func change(t *testing.T, d *sqlite.Database, query string) {
	t.Helper()
	if _, err := d.Writer().ExecContext(t.Context(), query); err != nil {
		t.Error(err)
	}
}

func closeAll(t *testing.T, all ...*sqlite.Database) {
	t.Helper()
	for _, d := range all {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// wantSizes compares the sizes with what there is.
func wantSizes(t *testing.T, when string, d *sqlite.Database, owners ...string) {
	t.Helper()
	for _, owner := range owners {
		got, err := d.Size(t.Context(), `SELECT COALESCE(SUM(bytes), 0) FROM sizes WHERE name = ?`, owner)
		var want int64
		row := d.Reader().QueryRowContext(t.Context(), `SELECT COALESCE(SUM(bytes), 0) FROM things WHERE owner = ?`, owner)
		if scan := row.Scan(&want); err != nil || scan != nil || got != want {
			t.Errorf("%s: %s has %d bytes, want %d: %v %v", when, owner, got, want, err, scan)
		}
	}
}

// content is what a database says of itself.
func content(t *testing.T, d *sqlite.Database) string {
	t.Helper()
	var schema, version string
	err := d.Reader().QueryRowContext(t.Context(), `SELECT GROUP_CONCAT(name), (SELECT user_version FROM pragma_user_version) FROM sqlite_schema`).Scan(&schema, &version)
	if err != nil {
		t.Fatal(err)
	}
	return schema + " " + version
}

// TestSizesOfOlder: a server that fails beside an older one changes nothing; sizes are right when it stays, whatever the older one
// writes in between, and that one can open the file again.
func TestSizesOfOlder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "things.db")
	older := openKind(t, path, things)
	change(t, older, `INSERT INTO things (owner, bytes) VALUES ('a', 5), ('a', 6), ('b', 7)`)
	before := content(t, older)

	newer := openKind(t, path, joined(sized))
	if size, err := newer.Size(t.Context(), `SELECT nothing FROM nowhere`); size != 0 || err != nil {
		t.Error("the size before somebody counts:", size, err)
	}
	closeAll(t, newer)
	if after := content(t, older); after != before {
		t.Errorf("a server that failed left %s, there was %s", after, before)
	}
	closeAll(t, older)
	older = openKind(t, path, things)

	newer = openKind(t, path, joined(sized))
	if err := sqlite.CountSizesAround(t.Context(), newer, func() {
		change(t, older, `INSERT INTO things (owner, bytes) VALUES ('a', 50), ('c', 1)`)
		change(t, older, `DELETE FROM things WHERE bytes = 7`)
	}); err != nil {
		t.Error(err)
	}
	if err := newer.CountSizes(t.Context()); err != nil || !newer.Counted() {
		t.Error(newer.Counted(), err)
	}
	owners := []string{"a", "b", "c", "nobody"}
	wantSizes(t, "counted beside a writer", newer, owners...)
	closeAll(t, newer, older)

	older = openKind(t, path, things)
	change(t, older, `INSERT INTO things (owner, bytes) VALUES ('b', 70), ('nobody', 1)`)
	change(t, older, `DELETE FROM things WHERE owner = 'a'`)
	closeAll(t, older)
	newer = openKind(t, path, sized)
	wantSizes(t, "after an older server", newer, owners...)
	closeAll(t, newer)
	if found := backups(t, path); len(found) > 0 {
		t.Error("copies:", found)
	}
}

// TestSizesBegunAnew: who was ended while it counted leaves nothing that counts, and of two that count only the last one does.
func TestSizesBegunAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "things.db")
	d := openKind(t, path, things)
	change(t, d, `INSERT INTO things (owner, bytes) VALUES ('a', 5)`)
	broken := sized
	broken.Sizes.Count = `SELECT owner, 'much' FROM things`
	closeAll(t, d)
	if _, err := sqlite.OpenDatabase(t.Context(), path, broken); err == nil {
		t.Fatal("nothing was counted, and nobody says so")
	}
	d = openKind(t, path, joined(sized))
	if d.Counted() {
		t.Error("it counts as counted")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			other := openKind(t, path, joined(sized))
			if err := other.CountSizes(t.Context()); err != nil {
				t.Error(err)
			}
			closeAll(t, other)
		})
	}
	wg.Wait()
	closeAll(t, d)
	d = openKind(t, path, sized)
	wantSizes(t, "counted by many", d, "a")
	closeAll(t, d)
}

// TestSharedKeepsSchema: beside a server that has the database open nothing becomes of it what that one does not know.
func TestSharedKeepsSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "things.db")
	older := openKind(t, path, things)
	before := content(t, older)
	future := sqlite.Kind{ID: things.ID, Schema: fstest.MapFS{
		"migrations/0001.sql": {}, "migrations/0002.sql": {Data: []byte(`CREATE TABLE more (a INTEGER) STRICT`)},
	}}
	_, err := sqlite.OpenDatabase(t.Context(), path, joined(future))
	if refused, ok := errors.AsType[*aloft.Error](err); !ok || refused.Code != aloft.Conflict || !strings.Contains(refused.Hint, "aloft stop --server") {
		t.Errorf("%v", err)
	}
	if after := content(t, older); after != before || len(backups(t, path)) > 0 {
		t.Errorf("%s became %s, copies %q", before, after, backups(t, path))
	}
	closeAll(t, older)
	closeAll(t, openKind(t, path, future))
}
