package artifact

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/source"
)

// Extract unpacks an artifact into dst, which must not exist; one caller at a time may use a dst. The artifact's digest is
// checked first. Files are made below dst and nowhere else, whatever the artifact holds; times are those of the unpacking,
// so that a server that derives an ETag from size and time never gives two releases the same. The tree appears at dst as
// a whole, after an error nothing is left. It is not synced to disk: after power loss, unpack again.
func (s *Store) Extract(ctx context.Context, digest, dst string) error {
	blob, err := s.Open(digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	if err := blob.verify(digest); err != nil {
		return err
	}
	if _, err := os.Lstat(dst); err == nil {
		return machine("unpack artifact", &fs.PathError{Op: "mkdir", Path: dst, Err: fs.ErrExist})
	}
	plan, err := planOf(blob, blob.Size(), bounds{files: source.MaxFiles, bytes: source.MaxBytes})
	if err != nil {
		return damaged(digest, err)
	}
	partial := dst + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return machine("unpack artifact", err)
	}
	err = plan.extract(ctx, partial)
	if err == nil {
		err = os.Rename(partial, dst)
	}
	if err != nil {
		_ = os.RemoveAll(partial) // the first error is the one to tell
		return explain(digest, err)
	}
	return nil
}

// explain tells a damaged artifact from a full disk.
func explain(digest string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("unpack artifact: %w", err)
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return machine("unpack artifact", err)
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return machine("unpack artifact", err)
	}
	if _, ok := errors.AsType[*aloft.Error](err); ok {
		return err
	}
	return damaged(digest, err)
}

// extract makes the directories, then the files from several goroutines, then the links: when files are made there is no
// link yet that could lead elsewhere, and the root would not follow it out.
func (p *plan) extract(ctx context.Context, dst string) error {
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dst)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, dir := range p.dirs {
		if err := root.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for _, batch := range p.batches() {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return extractBatch(working, root, batch) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, l := range p.links {
		if err := root.Symlink(l.target, l.path); err != nil {
			return err
		}
	}
	return nil
}

// extractBatch makes files of one directory.
func extractBatch(ctx context.Context, root *os.Root, files []*zip.File) error {
	dir, err := root.OpenRoot(path.Dir(files[0].Name))
	if err != nil {
		return err
	}
	defer dir.Close()
	buffer := make([]byte, 64<<10)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := extractFile(dir, f, buffer); err != nil {
			return err
		}
	}
	return nil
}

func extractFile(dir *os.Root, f *zip.File, buffer []byte) error {
	from, err := f.Open()
	if err != nil {
		return fmt.Errorf("%q: %w", f.Name, err)
	}
	defer from.Close()
	mode := fs.FileMode(0o644)
	if f.Mode()&0o100 != 0 {
		mode = 0o755
	}
	to, err := dir.OpenFile(path.Base(f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer to.Close()
	n, err := io.CopyBuffer(onlyWriter{to}, io.LimitReader(from, int64(f.UncompressedSize64)+1), buffer)
	if err != nil {
		return fmt.Errorf("%q: %w", f.Name, err)
	}
	if uint64(n) != f.UncompressedSize64 {
		return fmt.Errorf("%q: holds more than it declares", f.Name)
	}
	// The mode of a new file depends on the process's umask.
	if err := to.Chmod(mode); err != nil {
		return err
	}
	return to.Close()
}
