package bucket

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Upload is an upload in parts that is not complete.
type Upload struct {
	ID, Key string
	Created time.Time
}

// Part is a part of an upload.
type Part struct {
	Number   int
	Size     int64
	MD5      []byte
	Modified time.Time

	file string
}

// StartUpload begins an upload in parts and returns its id.
func (s *Store) StartUpload(ctx context.Context, bucket, key string, meta map[string]string) (string, error) {
	text, err := json.Marshal(meta)
	if err != nil {
		return "", err
	}
	id := strings.ToLower(rand.Text())
	return id, s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := s.before(ctx, tx, change{bucket: bucket, key: key}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO uploads (id, bucket, key, meta, created) VALUES (?, ?, ?, ?, ?)`, id, bucket, key, string(text), now())
		return err
	})
}

func noUpload(id string) error { return aloft.Errorf(aloft.NotFound, "there is no upload %q", id) }

// upload returns the metadata of an upload.
func upload(ctx context.Context, tx *sql.Tx, bucket, key, id string) (meta map[string]string, err error) {
	var text string
	err = tx.QueryRowContext(ctx, `SELECT meta FROM uploads WHERE id = ? AND bucket = ? AND key = ?`, id, bucket, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noUpload(id)
	}
	if err != nil {
		return nil, err
	}
	return meta, json.Unmarshal([]byte(text), &meta)
}

// PutPart stores a part of an upload, in place of any of its number.
func (s *Store) PutPart(ctx context.Context, bucket, key, id string, number int, r io.Reader) (Part, error) {
	b, end, err := s.write(ctx, bucket, r)
	defer end()
	if err != nil {
		return Part{}, err
	}
	var old []string
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if _, err := upload(ctx, tx, bucket, key, id); err != nil {
			return err
		}
		if old, err = shelf.Query(ctx, tx, shelf.Text, `SELECT file FROM parts WHERE upload = ? AND number = ?`, id, number); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO parts (upload, number, file, size, md5, modified) VALUES (?, ?, ?, ?, ?, ?)`,
			id, number, b.file, b.size, b.md5, now())
		return err
	})
	if err != nil {
		s.remove(b.file)
		return Part{}, err
	}
	s.remove(old...)
	return Part{Number: number, Size: b.size, MD5: b.md5, Modified: time.Now().UTC()}, nil
}

// Parts lists the parts of an upload by number. It returns NotFound if there is no such upload.
func (s *Store) Parts(ctx context.Context, bucket, key, id string) ([]Part, error) {
	var exists bool
	row := s.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ? AND bucket = ? AND key = ?)`, id, bucket, key)
	if err := row.Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, noUpload(id)
	}
	return shelf.Query(ctx, s.db.Reader(), scanPart, `SELECT number, size, md5, modified, file FROM parts WHERE upload = ? ORDER BY number`, id)
}

func scanPart(row shelf.Row) (p Part, err error) {
	var modified int64
	err = row.Scan(&p.Number, &p.Size, &p.MD5, &modified, &p.file)
	p.Modified = time.UnixMilli(modified).UTC()
	return p, err
}

// Uploads lists the uploads to a bucket by key.
func (s *Store) Uploads(ctx context.Context, bucket string) ([]Upload, error) {
	return shelf.Query(ctx, s.db.Reader(), scanUpload, `SELECT id, key, created FROM uploads WHERE bucket = ? ORDER BY key, created`, bucket)
}

func scanUpload(row shelf.Row) (u Upload, err error) {
	var created int64
	err = row.Scan(&u.ID, &u.Key, &created)
	u.Created = time.UnixMilli(created).UTC()
	return u, err
}

// AbortUpload forgets an upload and its parts. It returns NotFound if there is none.
func (s *Store) AbortUpload(ctx context.Context, bucket, key, id string) error {
	var files []string
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if _, err := upload(ctx, tx, bucket, key, id); err != nil {
			return err
		}
		files, err = dropUpload(ctx, tx, id)
		return err
	})
	if err == nil {
		s.remove(files...)
	}
	return err
}

func dropUpload(ctx context.Context, tx *sql.Tx, id string) (files []string, err error) {
	if files, err = shelf.Query(ctx, tx, shelf.Text, `SELECT file FROM parts WHERE upload = ?`, id); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM uploads WHERE id = ?`, id)
	return files, err
}

// FinishUpload makes an object of parts, which choose names in the order of their numbers.
func (s *Store) FinishUpload(ctx context.Context, bucket, key, id string, choose func(stored []Part) ([]Part, error)) (Object, error) {
	var meta map[string]string
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		meta, err = upload(ctx, tx, bucket, key, id)
		return err
	})
	if err != nil {
		return Object{}, err
	}
	stored, err := s.Parts(ctx, bucket, key, id)
	if err != nil {
		return Object{}, err
	}
	chosen, err := choose(stored)
	if err != nil {
		return Object{}, err
	}
	b, end, err := s.write(ctx, bucket, &joined{store: s, parts: chosen})
	defer end()
	if err != nil {
		return Object{}, err
	}
	var files []string
	o, err := s.publish(ctx, change{bucket: bucket, key: key, name: "ObjectCreated:CompleteMultipartUpload", also: func(ctx context.Context, tx *sql.Tx) (err error) {
		files, err = dropUpload(ctx, tx, id)
		return err
	}}, meta, b)
	if err == nil {
		s.remove(files...)
	}
	return o, err
}

// joined reads parts one after another.
type joined struct {
	store *Store
	parts []Part
	now   io.ReadCloser
}

// size is how many bytes all have, before the first is read.
func (j *joined) size() (n int64) {
	for _, p := range j.parts {
		n += p.Size
	}
	return n
}

// Read implements io.Reader.
func (j *joined) Read(b []byte) (n int, err error) {
	for {
		if j.now == nil {
			if len(j.parts) == 0 {
				return 0, io.EOF
			}
			if j.now, err = j.store.open(j.parts[0].file, 0, j.parts[0].Size); err != nil {
				return 0, err
			}
			j.parts = j.parts[1:]
		}
		if n, err = j.now.Read(b); err != io.EOF { //nolint:errorlint // as io.Reader says
			return n, err
		}
		err = j.now.Close()
		j.now = nil
		if n > 0 || err != nil {
			return n, err
		}
	}
}
