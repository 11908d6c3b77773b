// Package bucket is the resource that holds objects: S3's API over files below a directory and an index in a database.
//
// An object's bytes lie in a file of a random name that is complete and on the disk before the index names it; the index is
// changed in one transaction together with what watchers are to be told. So an object is as it was or as it is, whatever is
// killed, and any text can be a key. A file that the index does not name any more, or never did, is removed.
package bucket

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
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

const countSizes = `SELECT bucket, SUM(size) FROM
	(SELECT bucket, size FROM objects UNION ALL SELECT bucket, parts.size FROM parts JOIN uploads ON id = upload) GROUP BY bucket`

// applicationID tells the file from those of other kinds and programs.
const applicationID = 0x0a10f7e6

// Store is all buckets of this machine. It is safe for concurrent use, by two processes too.
type Store struct {
	db     *shelf.DB
	outbox *shelf.Outbox
	files  *os.Root
	quota  *resource.Quota // nil: none
	sweeps sync.WaitGroup
	stop   context.CancelFunc
}

// Open opens the buckets below dir, made if there are none. Shared says that another process may
// have them open now.
func Open(ctx context.Context, dir string, shared bool) (*Store, error) {
	files := filepath.Join(dir, "objects")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of objects: %w", err)
	}
	root, err := os.OpenRoot(files)
	if err != nil {
		return nil, fmt.Errorf("open the directory of objects: %w", err)
	}
	db, err := shelf.Open(ctx, filepath.Join(dir, "buckets.db"), sqlite.Kind{
		ID: applicationID, Schema: migrations, Sizes: sqlite.Sizes{Make: makeSizes, Count: countSizes}, Shared: shared,
	})
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	s := &Store{db: db, outbox: shelf.NewOutbox(db), files: root}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.sweeps.Go(func() { s.sweep(ctx, leftOver) })
	return s, nil
}

// Close ends all use of the store.
func (s *Store) Close() error {
	s.stop()
	s.sweeps.Wait()
	return errors.Join(s.db.Close(), s.files.Close())
}

// Bucket is a bucket.
type Bucket struct {
	Name    string
	Owner   string // "app/stage", "" for one made through the API
	Created time.Time
	Objects int64
	Size    int64 // bytes of all objects
}

func missing(name string) error {
	return aloft.Errorf(aloft.NotFound, "there is no bucket %q", name)
}

// Create makes a bucket. It returns Conflict if there is one of that name.
func (s *Store) Create(ctx context.Context, name, owner string) error {
	made, err := s.ensure(ctx, name, owner)
	if err == nil && !made {
		return aloft.Errorf(aloft.Conflict, "there is a bucket %q already", name)
	}
	return err
}

// ensure makes a bucket unless there is one of that name.
func (s *Store) ensure(ctx context.Context, name, owner string) (made bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		made, err = shelf.Insert(ctx, tx, `INSERT INTO buckets (name, owner, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, name, owner, shelf.Now())
		return err
	})
	return made, err
}

func scanBucket(row shelf.Row) (b Bucket, err error) {
	var created int64
	err = row.Scan(&b.Name, &b.Owner, &created, &b.Objects, &b.Size)
	b.Created = time.UnixMilli(created).UTC()
	return b, err
}

// Buckets lists the buckets by name, with owner "" all.
func (s *Store) Buckets(ctx context.Context, owner string) ([]Bucket, error) {
	all, err := shelf.Query(ctx, s.db.Reader(), scanBucket, `SELECT name, owner, created, (SELECT COUNT(*) FROM objects WHERE bucket = name),
		(SELECT COALESCE(SUM(size), 0) FROM objects WHERE bucket = name) FROM buckets WHERE ? IN ('', owner) ORDER BY name`, owner)
	if err != nil {
		return nil, fmt.Errorf("list buckets: %w", err)
	}
	return all, nil
}

// Exists reports whether there is a bucket.
func (s *Store) Exists(ctx context.Context, name string) (exists bool, err error) {
	err = s.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM buckets WHERE name = ?)`, name).Scan(&exists)
	return exists, err
}

// Owner is who has a bucket, as Bucket has it. It returns NotFound if there is none.
func (s *Store) Owner(ctx context.Context, name string) (owner string, err error) {
	err = s.db.Reader().QueryRowContext(ctx, `SELECT owner FROM buckets WHERE name = ?`, name).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		err = missing(name)
	}
	return owner, err
}

// Delete deletes a bucket. It returns Conflict for one that holds objects, unless all is set.
func (s *Store) Delete(ctx context.Context, name string, all bool) error {
	var files []string
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		var exists, full bool
		row := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM buckets WHERE name = ?1), EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)`, name)
		if err := row.Scan(&exists, &full); err != nil {
			return err
		}
		if !exists {
			return missing(name)
		}
		if full && !all {
			return aloft.Errorf(aloft.Conflict, "the bucket %q holds objects", name)
		}
		if files, err = filesOf(ctx, tx, name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM buckets WHERE name = ?`, name)
		return err
	})
	if err == nil {
		s.remove(files...)
	}
	return err
}

// filesOf are the files of a bucket's objects and of uploads to it.
func filesOf(ctx context.Context, tx *sql.Tx, bucket string) ([]string, error) {
	return shelf.Query(ctx, tx, shelf.Text, `SELECT file FROM objects WHERE bucket = ?1
		UNION ALL SELECT parts.file FROM parts JOIN uploads ON uploads.id = upload WHERE bucket = ?1`, bucket)
}
