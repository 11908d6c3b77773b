package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/aloft-run/aloft"
)

const readers = 4 // connections that read at once

// Kind says what a database is for.
type Kind struct {
	ID     int64 // 32 bits in its head, which tell it from those of other programs and kinds
	Schema fs.FS // migrations/*.sql, in the order of their names
	Sizes  Sizes // none if empty
	Shared bool  // another process has it open: it is not looked through, and nothing is changed that is there
}

// Database is an open file. It is safe for concurrent use. Only one process may have a database open, unless its kind says
// otherwise; the caller sees to that with a lock on the directory.
type Database struct {
	path   string
	kind   Kind
	writer *sql.DB // one connection: SQLite has one writer at a time, and waiting in Go honours ctx
	reader *sql.DB
	lent   *atomic.Bool // see Suspend

	counted atomic.Bool // sizes are there
}

// OpenDatabase opens the database at path and makes it if there is none. It returns Internal, with how to restore, for a
// damaged database, and Conflict for one of a newer version or of another program.
//
// A database of an older version is brought to the schema of this one, after a copy of it was put beside it: see backup. One that
// another process has open is not: Conflict says how to end that one first.
func OpenDatabase(ctx context.Context, path string, kind Kind) (*Database, error) {
	unclean, err := prepare(ctx, path, kind)
	if err != nil {
		return nil, err
	}
	d, err := connect(path, kind)
	if err != nil {
		return nil, err
	}
	if err := d.start(ctx, unclean); err != nil {
		_ = d.Close() // the first error says why
		return nil, d.fail(ctx, "open database", err)
	}
	return d, nil
}

// Writer is the connection that may write, one at a time.
func (d *Database) Writer() *sql.DB { return d.writer }

// Reader are connections that only read.
func (d *Database) Reader() *sql.DB { return d.reader }

// Fail gives an error of the database what a user needs to know; nil stays nil.
func (d *Database) Fail(ctx context.Context, what string, err error) error {
	return d.fail(ctx, what, err)
}

// start checks what connect opened, cheapest first, and brings it to the schema of this version.
func (d *Database) start(ctx context.Context, unclean bool) error {
	if err := d.checkIdentity(ctx); err != nil {
		return err
	}
	if !d.kind.Shared && (unclean || isSmall(d.path)) {
		if err := d.check(ctx, "quick_check"); err != nil {
			return err
		}
	}
	if err := d.migrate(ctx); err != nil {
		return err
	}
	for _, db := range []*sql.DB{d.writer, d.reader} {
		if err := assertPragmas(ctx, db); err != nil {
			return err
		}
	}
	if d.kind.Shared {
		return d.lookCounted(ctx)
	}
	return d.countSizes(ctx)
}

// connect makes the two pools. Nothing is opened before the first use.
func connect(path string, kind Kind) (*Database, error) {
	lent := new(atomic.Bool)
	writer, err := open(path, "_txlock=immediate&_journal_mode=WAL", lent)
	if err != nil {
		return nil, err
	}
	reader, err := open(path, "_query_only=1", lent)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	writer.SetMaxOpenConns(1)
	reader.SetMaxOpenConns(readers)
	d := &Database{path: path, kind: kind, writer: writer, reader: reader, lent: lent}
	d.keepConnections()
	return d, nil
}

// durable holds for every connection. FULL syncs the log at each commit: NORMAL loses acknowledged commits at power loss.
const durable = "mode=rw&_busy_timeout=5000&_foreign_keys=1&_synchronous=FULL&_defensive=1&_dqs=0&_error_rc=1&_pragma=trusted_schema(0)"

func open(path, more string, lent *atomic.Bool) (*sql.DB, error) {
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: durable + "&" + more}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return sql.OpenDB(lender{connector, lent}), nil
}

// assertPragmas makes sure that what the connection string asked for really holds; SQLite ignores what it does not know.
func assertPragmas(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct{ name, want string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}, {"trusted_schema", "0"}, {"busy_timeout", "5000"},
	} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("pragma %s: %w", p.name, err)
		}
		if got != p.want {
			return aloft.Errorf(aloft.Internal, "the database runs with %s=%s instead of %s", p.name, got, p.want).
				WithHint("keep the database on a local file system that supports write-ahead logging; network file systems do not")
		}
	}
	return nil
}

// Close ends all use of the database. After it the file alone, without write-ahead log, holds everything.
func (d *Database) Close() error {
	return errors.Join(d.reader.Close(), d.writer.Close()) // the writer last: the last connection folds the log into the file
}

// Check reads the whole database and compares it with its indexes, which takes a while for a large one. It returns
// Internal, with how to restore, for damage.
func (d *Database) Check(ctx context.Context) error {
	return d.fail(ctx, "check database", d.check(ctx, "integrity_check"))
}

// write runs fn in a transaction that holds the write lock from its start, so what fn reads stays true until it commits.
func (d *Database) write(ctx context.Context, what string, fn func(tx *sql.Tx) error) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return d.fail(ctx, what, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := fn(tx); err != nil {
		return d.fail(ctx, what, err)
	}
	return d.fail(ctx, what, tx.Commit())
}

// isSmall reports whether checking the database costs so little that it is done at every start.
func isSmall(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() < 16<<20
}
