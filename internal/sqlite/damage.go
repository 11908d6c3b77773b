package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/aloft-run/aloft"
)

// errDamaged is in the chain of what we, not SQLite, found damaged.
var errDamaged = errors.New("the content is damaged")

// damaged says that the database cannot be trusted and what to do. Nothing is repaired: a guess could be served as truth.
func damaged(path string, cause error) error {
	return aloft.Errorf(aloft.Internal, "the database %s is damaged: %w", path, cause).
		WithHint("stop aloft, move %[1]s, %[1]s-wal and %[1]s-shm aside, put a backup in the place of %[1]s and start aloft again; "+
			"keep the damaged files, aloft does not change them", path)
}

// fail gives err what a user needs: the end of ctx, damage and a full disk are told apart from what is ours to mend.
func (d *Database) fail(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*aloft.Error](err); ok {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
	if errors.Is(err, errDamaged) {
		return damaged(d.path, err)
	}
	driver, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch driver.Code() & 0xff { // the low byte is the kind, the rest says more about it
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(d.path, err)
	case sqlite3.SQLITE_FULL:
		return aloft.Errorf(aloft.Internal, "%s: the disk of %s is full", what, d.path).WithHint("free space; nothing was changed")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
		return aloft.Errorf(aloft.Internal, "%s: %s: %w", what, d.path, err).
			WithHint("check the disk, and that aloft may write the file and its directory")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return aloft.Errorf(aloft.Unavailable, "%s: %s is locked by another program", what, d.path).
			WithHint("close other programs that have the database open and try again")
	}
	return fmt.Errorf("%s: %w", what, err)
}

// checkIdentity refuses the database of another program.
func (d *Database) checkIdentity(ctx context.Context) error {
	var id int64
	if err := d.writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("read application id: %w", err)
	}
	if id != d.kind.ID {
		return aloft.Errorf(aloft.Conflict, "%s is not a database of aloft, or its head is damaged (application id %#x)", d.path, id).
			WithHint("move it away, or put a backup of aloft's database in its place")
	}
	return nil
}

// check runs one of SQLite's checks and the check of references, and returns what they find first.
func (d *Database) check(ctx context.Context, pragma string) error {
	var found string
	if err := d.reader.QueryRowContext(ctx, "PRAGMA "+pragma+"(1)").Scan(&found); err != nil {
		return fmt.Errorf("%s: %w", pragma, err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	rows, err := d.reader.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("check references: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return fmt.Errorf("%w: a row refers to one that is missing", errDamaged)
	}
	return rows.Err()
}
