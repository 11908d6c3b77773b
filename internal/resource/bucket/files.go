package bucket

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's word for what an object holds; no protection
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// leftOver is how old a file is at least that the index does not name, when it is removed: a slow upload may still be
// written, by another process too.
const leftOver = 24 * time.Hour

// blob is a file with bytes of an object or of a part of one.
type blob struct {
	file string
	size int64
	md5  []byte
}

// write puts all of r into a new file, while there is room for it. It is on the disk when write returns; nobody knows of it yet. End
// must be called once the index names it, or after an error.
func (s *Store) write(ctx context.Context, bucket string, r io.Reader) (b blob, end func(), err error) {
	owner, err := s.Owner(ctx, bucket)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound { // that there is none is told when the index is written
		return blob{}, func() {}, err
	}
	room := s.quota.Begin(owner)
	switch of := r.(type) {
	case *joined: // parts count already, and go when the index names what they become
		err = room.Replace(of.size())
	case interface{ size() int64 }: // then it is refused before any of it is read
		err = room.Add(ctx, of.size())
	default:
		r, err = &measured{ctx, r, room}, nil
	}
	if err == nil {
		b, err = s.fill(r, told{room})
	}
	return b, room.End, err
}

// told tells how much has been written.
type told struct{ room *resource.Write }

// Write implements io.Writer.
func (t told) Write(b []byte) (int, error) {
	t.room.Wrote(int64(len(b)))
	return len(b), nil
}

// measured is what is read while there is room for it.
type measured struct {
	ctx  context.Context //nolint:containedctx // of one write
	from io.Reader
	room *resource.Write
}

// Read implements io.Reader.
func (m *measured) Read(b []byte) (int, error) {
	n, err := m.from.Read(b)
	if full := m.room.Add(m.ctx, int64(n)); full != nil {
		return n, full
	}
	return n, err
}

// fill puts all of r into a new file, and tells of what is in it.
func (s *Store) fill(r io.Reader, told io.Writer) (b blob, err error) {
	name := strings.ToLower(rand.Text())
	b.file = path.Join(name[:2], name[2:])
	if err := s.files.MkdirAll(name[:2], 0o700); err != nil {
		return blob{}, fmt.Errorf("store an object: %w", err)
	}
	f, err := s.files.OpenFile(b.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return blob{}, fmt.Errorf("store an object: %w", err)
	}
	sum := md5.New() //nolint:gosec // see the import
	b.size, err = io.Copy(io.MultiWriter(f, sum, told), r)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	for _, dir := range []string{name[:2], "."} {
		if err == nil {
			err = s.syncDir(dir)
		}
	}
	if err != nil {
		s.remove(b.file)
		return blob{}, fmt.Errorf("store an object: %w", err)
	}
	b.md5 = sum.Sum(nil)
	return b, nil
}

func (s *Store) syncDir(name string) error {
	dir, err := s.files.Open(name)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if closeErr := dir.Close(); err == nil {
		err = closeErr
	}
	return err
}

// remove removes files that nobody names. What cannot be removed now is left over and swept later.
func (s *Store) remove(files ...string) {
	for _, file := range files {
		_ = s.files.Remove(file)
	}
}

// sweep removes files that the index does not name and that have not been written for a while.
func (s *Store) sweep(ctx context.Context, age time.Duration) {
	old := time.Now().Add(-age)
	_ = fs.WalkDir(s.files.FS(), ".", func(name string, entry fs.DirEntry, err error) error { // what is unreadable is the next sweep's
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err == nil && !entry.IsDir() && s.unnamed(ctx, name, entry, old) {
			s.remove(name)
		}
		return nil
	})
}

// unnamed reports whether a file is old and the index does not name it.
func (s *Store) unnamed(ctx context.Context, name string, entry fs.DirEntry, old time.Time) bool {
	info, err := entry.Info()
	if err != nil || info.ModTime().After(old) {
		return false
	}
	named := true
	row := s.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM objects WHERE file = ?1) OR EXISTS (SELECT 1 FROM parts WHERE file = ?1)`, name)
	return row.Scan(&named) == nil && !named
}

// section is a file from an offset on.
type section struct {
	io.Reader
	io.Closer

	length int64
}

// size is how many bytes are to come, before the first is read.
func (s section) size() int64 { return s.length }

// open opens the length bytes from an offset of a file.
func (s *Store) open(file string, offset, length int64) (io.ReadCloser, error) {
	f, err := s.files.Open(file)
	if err != nil {
		return nil, err
	}
	return section{io.NewSectionReader(f, offset, length), f, length}, nil
}

func hexOf(sum []byte) string { return hex.EncodeToString(sum) }
