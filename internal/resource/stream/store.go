// Package stream is the resource that keeps records in order: Kinesis' API over a database. A stream is divided into shards
// by the MD5 of each record's key; within a shard records have the order in which they were acknowledged, and each is on the
// disk by then. They are kept for a day, or as long as the stream says.
package stream

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed sizes.sql
var makeSizes string

const countSizes = `SELECT stream, SUM(length(data) + length(key) + 50) FROM records GROUP BY stream`

// applicationID tells the file from those of other kinds and programs.
const applicationID = 0x0a10f7e7

// How long records are kept, in hours.
const (
	defaultHours = 24
	maxHours     = 8760
)

// trimPause is the time between removals of records that are too old.
const trimPause = 5 * time.Minute

// Store is all streams of this machine. It is safe for concurrent use, by two processes too.
type Store struct {
	db    *shelf.DB
	quota *resource.Quota // nil: none
	trims sync.WaitGroup
	stop  context.CancelFunc

	mu   sync.Mutex
	wake chan struct{} // closed and replaced when records came
}

// Open opens the streams in a directory, which is made if there is none. Shared says that another process may
// have them open now.
func Open(ctx context.Context, dir string, shared bool) (*Store, error) {
	db, err := shelf.Open(ctx, filepath.Join(dir, "streams.db"), sqlite.Kind{
		ID: applicationID, Schema: migrations, Sizes: sqlite.Sizes{Make: makeSizes, Count: countSizes}, Shared: shared,
	})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, wake: make(chan struct{})}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.trims.Go(func() { s.keepTrimmed(ctx) })
	return s, nil
}

// Close ends all use of the store.
func (s *Store) Close() error {
	s.stop()
	s.trims.Wait()
	return s.db.Close()
}

// Stream is a stream.
type Stream struct {
	Name    string
	Owner   string // "app/stage", "" for one made through the API
	Created time.Time
	Shards  int
	Hours   int // for which records are kept

	last int64
}

const selectStream = `SELECT name, owner, created, shards, hours, last FROM streams`

func scanStream(row shelf.Row) (x Stream, err error) {
	var created int64
	err = row.Scan(&x.Name, &x.Owner, &created, &x.Shards, &x.Hours, &x.last)
	x.Created = time.UnixMilli(created).UTC()
	return x, err
}

func missing(name string) error {
	return aloft.Errorf(aloft.NotFound, "there is no stream %q", name)
}

// Create makes a stream. It returns Conflict if there is one of that name.
func (s *Store) Create(ctx context.Context, x Stream) error {
	if x.Shards < 1 || x.Shards > maxShards {
		return aloft.Errorf(aloft.Invalid, "a stream has 1 to %d shards, not %d", maxShards, x.Shards)
	}
	if x.Hours == 0 {
		x.Hours = defaultHours
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		made, err := shelf.Insert(ctx, tx, `INSERT INTO streams (name, owner, created, shards, hours) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			x.Name, x.Owner, shelf.Now(), x.Shards, x.Hours)
		if err != nil || made {
			return err
		}
		return aloft.Errorf(aloft.Conflict, "there is a stream %q already", x.Name)
	})
}

// Stream returns NotFound if there is none of that name.
func (s *Store) Stream(ctx context.Context, name string) (Stream, error) {
	return find(s.db.Reader().QueryRowContext(ctx, selectStream+` WHERE name = ?`, name), name)
}

func find(row shelf.Row, name string) (Stream, error) {
	x, err := scanStream(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Stream{}, missing(name)
	}
	return x, err
}

// Streams lists the streams by name, with owner "" all.
func (s *Store) Streams(ctx context.Context, owner string) ([]Stream, error) {
	all, err := shelf.Query(ctx, s.db.Reader(), scanStream, selectStream+` WHERE ? IN ('', owner) ORDER BY name`, owner)
	if err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	return all, nil
}

// Keep says for how many hours records are kept.
func (s *Store) Keep(ctx context.Context, name string, hours int) error {
	if hours < defaultHours || hours > maxHours {
		return aloft.Errorf(aloft.Invalid, "records are kept for %d to %d hours, not %d", defaultHours, maxHours, hours)
	}
	return s.change(ctx, name, `UPDATE streams SET hours = ? WHERE name = ?`, hours, name)
}

// Delete deletes a stream with its records. It returns NotFound if there is none.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.change(ctx, name, `DELETE FROM streams WHERE name = ?`, name)
}

// change runs a statement that changes one stream.
func (s *Store) change(ctx context.Context, name, statement string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return missing(name)
	})
}

// keepTrimmed removes records that are too old, now and again.
func (s *Store) keepTrimmed(ctx context.Context) {
	tick := time.NewTicker(trimPause)
	defer tick.Stop()
	for {
		_ = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { // the next look may succeed
			_, err := tx.ExecContext(ctx, `DELETE FROM records WHERE at < ? - 3600000 * (SELECT hours FROM streams WHERE name = stream)`, shelf.Now())
			return err
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
