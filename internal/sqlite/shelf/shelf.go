// Package shelf is a SQLite database that one part of aloft has to itself: a schema, transactions that share one write to
// the disk, reads, and things that must reach somebody (Outbox). Unlike the main database, several processes may have it
// open: two servers do while one takes the other's place. It knows nothing of what its tables mean.
package shelf

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

const maxBatch = 128 // changes in one transaction

// DB is an open database. It is safe for concurrent use. What Write returned without error is on the disk.
type DB struct {
	db   *sqlite.Database
	name string
	jobs chan job
	quit chan struct{}
	end  sync.Once
	done chan struct{} // closed when the writer has ended
}

type job struct {
	ctx  context.Context
	do   func(ctx context.Context, tx *sql.Tx) error
	done chan error
}

// Open opens the database at path, made with its directory if there is none; see sqlite.OpenDatabase.
func Open(ctx context.Context, path string, kind sqlite.Kind) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of a database: %w", err)
	}
	db, err := sqlite.OpenDatabase(ctx, path, kind)
	if err != nil {
		return nil, err
	}
	d := &DB{db: db, name: filepath.Base(path), jobs: make(chan job), quit: make(chan struct{}), done: make(chan struct{})}
	go d.run()
	return d, nil
}

// Reader reads outside of transactions.
func (d *DB) Reader() *sql.DB { return d.db.Reader() }

// Size runs a query for one number over the sizes, see sqlite.Sizes; 0 while they are not counted.
func (d *DB) Size(ctx context.Context, query string, args ...any) (int64, error) {
	return d.db.Size(ctx, query, args...)
}

// CountSizes is for a database that was opened as Shared, once the server stays: see sqlite.Database.
func (d *DB) CountSizes(ctx context.Context) error { return d.db.CountSizes(ctx) }

// Write runs do in a transaction that holds the write lock, together with other changes that come at the same time: do sees
// what those before it changed, and only its own is undone when it fails. It returns once all is on the disk. The context that
// do gets does not end with ctx: SQLite undoes a whole transaction when a statement is given up.
func (d *DB) Write(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	j := job{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case d.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return ctx.Err()
	case <-d.quit:
		return errClosed
	}
}

var errClosed = aloft.Errorf(aloft.Unavailable, "the server is shutting down")

func (d *DB) run() {
	defer close(d.done)
	for {
		select {
		case j := <-d.jobs:
			d.commit(d.batch(j))
		case <-d.quit:
			return
		}
	}
}

// batch takes in what waits.
func (d *DB) batch(first job) []job {
	batch := []job{first}
	for len(batch) < maxBatch {
		select {
		case j := <-d.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and answers all.
func (d *DB) commit(batch []job) {
	results := make([]error, len(batch))
	err := d.transaction(func(ctx context.Context, tx *sql.Tx) error {
		for i, j := range batch {
			if results[i] = j.ctx.Err(); results[i] != nil {
				continue
			}
			var broken error
			if results[i], broken = attempt(ctx, tx, j.do); broken != nil {
				return broken
			}
		}
		return nil
	})
	for i, j := range batch {
		if results[i] == nil {
			results[i] = err
		}
		j.done <- results[i]
	}
}

func (d *DB) fail(ctx context.Context, err error) error {
	return d.db.Fail(ctx, "write to "+d.name, err)
}

func (d *DB) transaction(do func(ctx context.Context, tx *sql.Tx) error) error {
	ctx := context.Background() // the end of one caller must not end the work of others
	tx, err := d.db.Writer().BeginTx(ctx, nil)
	if err != nil {
		return d.fail(ctx, err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(ctx, tx); err != nil {
		return d.fail(ctx, err)
	}
	if err := tx.Commit(); err != nil {
		return d.fail(ctx, err)
	}
	return nil
}

// attempt undoes what do changed if it fails. The second error says that the transaction is lost.
func attempt(ctx context.Context, tx *sql.Tx, do func(ctx context.Context, tx *sql.Tx) error) (failed, broken error) {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT change"); err != nil {
		return nil, err
	}
	end := "RELEASE change"
	if failed = do(ctx, tx); failed != nil {
		end = "ROLLBACK TO change; RELEASE change"
	}
	_, err := tx.ExecContext(ctx, end)
	return failed, err
}

// Close ends all use of the database. Changes that wait are refused.
func (d *DB) Close() error {
	d.end.Do(func() { close(d.quit) })
	<-d.done
	return d.db.Close()
}

// Now is the time as tables hold it: milliseconds of the Unix epoch.
func Now() int64 { return time.Now().UnixMilli() }
