package bucket

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Object is what the index knows of an object.
type Object struct {
	Key      string
	Size     int64
	MD5      []byte
	Meta     map[string]string // headers: Content-Type, X-Amz-Meta-…
	Modified time.Time

	file string
}

// ETag is the object's MD5 in hexadecimal digits, of one that was uploaded in parts too.
func (o Object) ETag() string { return hexOf(o.MD5) }

const selectObject = `SELECT key, file, size, md5, meta, modified FROM objects`

func scanObject(row shelf.Row) (o Object, err error) {
	var meta string
	var modified int64
	if err := row.Scan(&o.Key, &o.file, &o.Size, &o.MD5, &meta, &modified); err != nil {
		return Object{}, err
	}
	o.Modified = time.UnixMilli(modified).UTC()
	return o, json.Unmarshal([]byte(meta), &o.Meta)
}

func noKey(bucket, key string) error {
	return aloft.Errorf(aloft.NotFound, "the bucket %q has no object %q", bucket, key)
}

// Head returns what the index knows of an object. It returns NotFound if there is none.
func (s *Store) Head(ctx context.Context, bucket, key string) (Object, error) {
	o, err := scanObject(s.db.Reader().QueryRowContext(ctx, selectObject+` WHERE bucket = ? AND key = ?`, bucket, key))
	if errors.Is(err, sql.ErrNoRows) {
		return Object{}, noKey(bucket, key)
	}
	return o, err
}

// Span is a piece of an object of a size: length bytes from an offset.
type Span func(size int64) (offset, length int64, err error)

// Get returns an object with its bytes, or the part of them that span chooses; nil is all. The caller closes them.
func (s *Store) Get(ctx context.Context, bucket, key string, span Span) (Object, io.ReadCloser, error) {
	for {
		o, err := s.Head(ctx, bucket, key)
		if err != nil {
			return Object{}, nil, err
		}
		offset, length := int64(0), o.Size
		if span != nil {
			if offset, length, err = span(o.Size); err != nil {
				return Object{}, nil, err
			}
		}
		content, err := s.open(o.file, offset, length)
		if !errors.Is(err, fs.ErrNotExist) {
			return o, content, err
		}
		// It was replaced between the two steps, unless the file is lost.
		if again, err := s.Head(ctx, bucket, key); err == nil && again.file == o.file {
			return Object{}, nil, aloft.Errorf(aloft.Internal, "the bytes of %q in bucket %q are lost: %s is missing", key, bucket, o.file)
		}
	}
}

// Condition must hold of what a write replaces; nil is no object. It fails the write by an error.
type Condition func(now *Object) error

// Put stores an object under a key, in place of any there. It returns NotFound if there is no such bucket.
func (s *Store) Put(ctx context.Context, bucket, key string, meta map[string]string, r io.Reader, only Condition) (Object, error) {
	b, end, err := s.write(ctx, bucket, r)
	defer end()
	if err != nil {
		return Object{}, err
	}
	return s.publish(ctx, change{bucket: bucket, key: key, name: "ObjectCreated:Put", only: only}, meta, b)
}

// change is a change of one object.
type change struct {
	bucket, key, name string
	trace             string // of who makes it
	only              Condition
	also              func(ctx context.Context, tx *sql.Tx) error // in the same transaction
}

// publish makes the index name a file as the object of a key, or removes the file.
func (s *Store) publish(ctx context.Context, c change, meta map[string]string, b blob) (Object, error) {
	text, err := json.Marshal(meta)
	if err != nil {
		return Object{}, err
	}
	o := Object{Key: c.key, Size: b.size, MD5: b.md5, Meta: meta, Modified: time.Now().Truncate(time.Millisecond).UTC(), file: b.file}
	var old *Object
	c.trace = lineage.From(ctx)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if old, err = s.before(ctx, tx, c); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO objects (bucket, key, file, size, md5, meta, modified) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			c.bucket, c.key, o.file, o.Size, o.MD5, string(text), o.Modified.UnixMilli()); err != nil {
			return err
		}
		if c.also != nil {
			if err := c.also(ctx, tx); err != nil {
				return err
			}
		}
		return s.tell(ctx, tx, c, &o)
	})
	if err != nil {
		s.remove(b.file)
		return Object{}, err
	}
	if old != nil {
		s.remove(old.file)
	}
	s.outbox.Wake()
	return o, nil
}

// before returns what a change finds, nil if there is no object, and checks that it may be made.
func (s *Store) before(ctx context.Context, tx *sql.Tx, c change) (*Object, error) {
	var exists bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM buckets WHERE name = ?)`, c.bucket).Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, missing(c.bucket)
	}
	var old *Object
	o, err := scanObject(tx.QueryRowContext(ctx, selectObject+` WHERE bucket = ? AND key = ?`, c.bucket, c.key))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if err == nil {
		old = &o
	}
	if c.only != nil {
		return old, c.only(old)
	}
	return old, nil
}

// DeleteObject deletes an object. That there is none is no error.
func (s *Store) DeleteObject(ctx context.Context, bucket, key string) error {
	var old *Object
	c := change{bucket: bucket, key: key, name: "ObjectRemoved:Delete", trace: lineage.From(ctx)}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if old, err = s.before(ctx, tx, c); err != nil || old == nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM objects WHERE bucket = ? AND key = ?`, bucket, key); err != nil {
			return err
		}
		return s.tell(ctx, tx, c, nil)
	})
	if err == nil && old != nil {
		s.remove(old.file)
		s.outbox.Wake()
	}
	return err
}

// Copy stores a copy of an object under another key, with other metadata. Its file is a copy too: it may outlive the first.
func (s *Store) Copy(ctx context.Context, bucket, key string, meta map[string]string, content io.Reader) (Object, error) {
	b, end, err := s.write(ctx, bucket, content)
	defer end()
	if err != nil {
		return Object{}, fmt.Errorf("copy an object: %w", err)
	}
	return s.publish(ctx, change{bucket: bucket, key: key, name: "ObjectCreated:Copy"}, meta, b)
}

// now is the time as the index holds it.
func now() int64 { return shelf.Now() }
