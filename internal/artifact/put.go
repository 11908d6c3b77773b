package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
)

// Put stores an archive. When it returns, the artifact survives power loss. Storing what is there already is harmless, and
// repairs it if it is damaged. After an error, such as a full disk, the store is as it was.
func (s *Store) Put(ctx context.Context, a *Archive) (aloft.Artifact, error) {
	s.collecting.RLock()
	defer s.collecting.RUnlock()
	final := s.path(a.artifact.Digest)
	if err := os.Mkdir(filepath.Dir(final), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return aloft.Artifact{}, machine("store artifact", err)
	}
	if !s.present(a.artifact) {
		if err := s.add(ctx, a, final); err != nil {
			return aloft.Artifact{}, machine("store artifact", err)
		}
	}
	// The directories are synced even if the artifact was there: whoever put it may have been killed before it did.
	for _, dir := range []string{filepath.Dir(final), s.dir} {
		if err := s.syncDir(dir); err != nil {
			return aloft.Artifact{}, machine("store artifact", err)
		}
	}
	s.addRecords(a, final)
	return a.artifact, nil
}

// present reports whether an intact copy is there, and if so renews its time, which keeps Collect from it.
func (s *Store) present(a aloft.Artifact) bool {
	blob, err := s.Open(a.Digest)
	if err != nil {
		return false
	}
	defer blob.Close()
	now := time.Now()
	return blob.Size() == a.Size && blob.verify(a.Digest) == nil && os.Chtimes(s.path(a.Digest), now, now) == nil
}

// add writes the archive beside its place, makes it durable, and only then gives it its name.
func (s *Store) add(ctx context.Context, a *Archive, final string) error {
	f, err := os.CreateTemp(s.tmp(), a.artifact.Short()+"-")
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	done := false
	defer func() {
		if !done {
			_ = f.Close()           // the first error is the one to tell
			_ = os.Remove(f.Name()) // Collect removes it if this cannot
		}
	}()
	if _, err := a.WriteTo(ctxWriter{ctx, f}); err != nil {
		return err
	}
	// A failed sync is not tried again: the kernel may have dropped what it could not write.
	if err := s.sync(f); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := s.rename(f.Name(), final); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	done = true
	return nil
}

// addRecords stores what later packings need to reuse content. It only saves work, so nothing is said if it fails.
func (s *Store) addRecords(a *Archive, final string) {
	f, err := os.CreateTemp(s.tmp(), a.artifact.Short()+"-")
	if err != nil {
		return
	}
	_, err = f.Write(encodeRecords(a.records))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), final+recordsSuffix)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // Collect removes it if this cannot
	}
}

// ctxWriter stops writing when its context ends.
type ctxWriter struct {
	ctx context.Context //nolint:containedctx // lives for one call
	f   *os.File
}

func (w ctxWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.f.Write(p)
}
