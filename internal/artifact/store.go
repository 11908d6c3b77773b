package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/aloft-run/aloft"
)

// Store keeps artifacts in a directory, each in a file named by its SHA-256 below a directory of its first two digits. One
// process uses a directory at a time; within it a Store is safe for use by several goroutines.
type Store struct {
	dir string
	// Held for reading while an artifact is stored, for writing while artifacts are collected: what Put found or made is
	// not taken away before its time stands.
	collecting sync.RWMutex

	sync   func(*os.File) error        // (*os.File).Sync, but for tests
	rename func(from, to string) error // os.Rename, but for tests
}

const recordsSuffix = ".entries"

// Open makes the directory if it is missing, and returns the store in it.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, sync: (*os.File).Sync, rename: os.Rename}
	if err := os.MkdirAll(s.tmp(), 0o700); err != nil {
		return nil, machine("open artifact store", err)
	}
	return s, nil
}

func (s *Store) tmp() string               { return filepath.Join(s.dir, "tmp") }
func (s *Store) path(digest string) string { return filepath.Join(s.dir, digest[:2], digest) }

func validDigest(digest string) bool {
	return len(digest) == 2*sha256.Size && strings.Trim(digest, "0123456789abcdef") == ""
}

// Has reports whether the store holds the artifact. It does not look whether it is intact; Extract does.
func (s *Store) Has(digest string) bool {
	if !validDigest(digest) {
		return false
	}
	info, err := os.Lstat(s.path(digest))
	return err == nil && info.Mode().IsRegular()
}

// Blob is an open artifact.
type Blob struct {
	file *os.File
	size int64
}

var (
	_ io.ReaderAt = (*Blob)(nil)
	_ io.Closer   = (*Blob)(nil)
)

// Open opens an artifact for reading. It returns NotFound if the store does not hold it.
func (s *Store) Open(digest string) (*Blob, error) {
	if !validDigest(digest) {
		return nil, aloft.Errorf(aloft.NotFound, "%q names no artifact", digest).WithHint("an artifact is named by 64 hexadecimal digits")
	}
	f, err := os.Open(s.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, aloft.Errorf(aloft.NotFound, "artifact %s is not in the store", digest[:12]).WithHint("deploy again with --force to make it anew")
	}
	if err != nil {
		return nil, machine("open artifact", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // read-only
		return nil, machine("open artifact", err)
	}
	return &Blob{file: f, size: info.Size()}, nil
}

// Size returns the artifact's bytes.
func (b *Blob) Size() int64 { return b.size }

// ReadAt reads.
func (b *Blob) ReadAt(p []byte, offset int64) (int, error) { return b.file.ReadAt(p, offset) }

// Close closes the artifact.
func (b *Blob) Close() error { return b.file.Close() }

// verify returns an error unless the blob's bytes have the digest.
func (b *Blob) verify(digest string) error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(b, 0, b.size)); err != nil {
		return machine("read artifact", err)
	}
	if hex.EncodeToString(h.Sum(nil)) != digest {
		return damaged(digest, errors.New("its bytes do not have its digest"))
	}
	return nil
}

func damaged(digest string, err error) error {
	return aloft.Errorf(aloft.Internal, "artifact %s is damaged: %w", digest[:12], err).
		WithHint("roll back to another release, or deploy again with --force")
}

// machine turns an error of the file system into one that a user may see.
func machine(doing string, err error) error {
	e := aloft.Errorf(aloft.Internal, "%s: %w", doing, err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return e.WithHint("free some space on this disk (aloft destroy removes apps you no longer need), then run the same command again")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return e.WithHint("make the directory writable for the user that runs aloft")
	}
	return e
}

// syncDir makes the names in a directory durable.
func (s *Store) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer d.Close()
	if err := s.sync(d); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
