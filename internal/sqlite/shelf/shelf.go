// Package shelf is a SQLite database that one part of aloft has to itself: a schema, transactions that share one write to
// the disk, reads, and things that must reach somebody (Outbox). Unlike the main database, several processes may have it
// open: two servers do while one takes the other's place. It knows nothing of what its tables mean.
package shelf

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/aloft-run/aloft"
)

const (
	readers  = 4   // connections that read at once
	maxBatch = 128 // changes in one transaction
)

// DB is an open database. It is safe for concurrent use. What Write returned without error is on the disk.
type DB struct {
	path   string
	writer *sql.DB // one connection
	reader *sql.DB
	jobs   chan job
	quit   chan struct{}
	end    sync.Once
	done   chan struct{} // closed when the writer has ended
}

type job struct {
	ctx  context.Context
	do   func(tx *sql.Tx) error
	done chan error
}

// Open opens the database at path, made if there is none, with a schema: each step is applied once, and steps that were
// released never change. It returns Conflict for a database with more steps, which a newer version made.
func Open(ctx context.Context, path string, schema ...string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of a database: %w", err)
	}
	writer, err := pool(path, "_txlock=immediate&_journal_mode=WAL", 1)
	if err != nil {
		return nil, err
	}
	reader, err := pool(path, "_query_only=1", readers)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	d := &DB{path: path, writer: writer, reader: reader, jobs: make(chan job), quit: make(chan struct{}), done: make(chan struct{})}
	if err := d.migrate(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), reader.Close(), writer.Close())
	}
	go d.run()
	return d, nil
}

func pool(path, more string, connections int) (*sql.DB, error) {
	const durable = "mode=rwc&_busy_timeout=10000&_foreign_keys=1&_synchronous=FULL&_defensive=1&_dqs=0&_error_rc=1&_pragma=trusted_schema(0)&"
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: durable + more}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrate applies the steps that the database does not have, in one transaction: another process may be at it too.
func (d *DB) migrate(ctx context.Context, schema []string) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	version := 0
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(schema) {
		return aloft.Errorf(aloft.Conflict, "it was written by a newer aloft: it has schema %d, this one knows up to %d", version, len(schema)).
			WithHint("start the newer aloft again; nothing was changed")
	}
	for i, step := range schema[version:] {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", step, version+i+1)); err != nil {
			return fmt.Errorf("schema step %d: %w", version+i+1, err)
		}
	}
	return tx.Commit()
}

// Reader reads outside of transactions.
func (d *DB) Reader() *sql.DB { return d.reader }

// Write runs do in a transaction that holds the write lock, together with other changes that come at the same time: do sees
// what those before it changed, and only its own is undone when it fails. It returns once all is on the disk.
func (d *DB) Write(ctx context.Context, do func(tx *sql.Tx) error) error {
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
	err := d.transaction(func(tx *sql.Tx) error {
		for i, j := range batch {
			if results[i] = j.ctx.Err(); results[i] != nil {
				continue
			}
			var broken error
			if results[i], broken = attempt(tx, j.do); broken != nil {
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

func (d *DB) transaction(do func(tx *sql.Tx) error) error {
	ctx := context.Background() // the end of one caller must not end the work of others
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write to %s: %w", filepath.Base(d.path), err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return fmt.Errorf("write to %s: %w", filepath.Base(d.path), err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write to %s: %w", filepath.Base(d.path), err)
	}
	return nil
}

// attempt undoes what do changed if it fails. The second error says that the transaction is lost.
func attempt(tx *sql.Tx, do func(tx *sql.Tx) error) (failed, broken error) {
	if _, err := tx.Exec("SAVEPOINT change"); err != nil { //nolint:noctx // see transaction
		return nil, err
	}
	end := "RELEASE change"
	if failed = do(tx); failed != nil {
		end = "ROLLBACK TO change; RELEASE change"
	}
	_, err := tx.Exec(end) //nolint:noctx // see transaction
	return failed, err
}

// Close ends all use of the database. Changes that wait are refused.
func (d *DB) Close() error {
	d.end.Do(func() { close(d.quit) })
	<-d.done
	return errors.Join(d.reader.Close(), d.writer.Close())
}

// Now is the time as tables hold it: milliseconds of the Unix epoch.
func Now() int64 { return time.Now().UnixMilli() }
