package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
	if !s.present(a.artifact) {
		err := s.add(ctx, final, func(w io.Writer) error {
			_, err := a.WriteTo(w)
			return err
		})
		if err != nil {
			return aloft.Artifact{}, machine("store artifact", err)
		}
	}
	// The directories are synced even if the artifact was there: whoever put it may have been killed before it did.
	if err := s.settle(final); err != nil {
		return aloft.Artifact{}, machine("store artifact", err)
	}
	s.addRecords(a, final)
	return a.artifact, nil
}

// Import stores an artifact that was packed elsewhere, such as on another machine. Like Put it survives power loss then. It
// returns Internal, and stores nothing, if the bytes do not have the digest.
func (s *Store) Import(ctx context.Context, digest string, from io.Reader) error {
	if !validDigest(digest) {
		return aloft.Errorf(aloft.Invalid, "%q names no artifact", digest)
	}
	s.collecting.RLock()
	defer s.collecting.RUnlock()
	final := s.path(digest)
	err := s.add(ctx, final, func(w io.Writer) error {
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, sum), from); err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) != digest {
			return damaged(digest, errors.New("what arrived does not have its digest"))
		}
		return nil
	})
	if err == nil {
		err = s.settle(final)
	}
	if _, told := errors.AsType[*aloft.Error](err); told || err == nil {
		return err
	}
	return machine("store artifact", err)
}

// settle makes an artifact's name durable.
func (s *Store) settle(final string) error {
	for _, dir := range []string{filepath.Dir(final), s.dir} {
		if err := s.syncDir(dir); err != nil {
			return err
		}
	}
	return nil
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

// add writes an artifact beside its place, makes it durable, and only then gives it its name.
func (s *Store) add(ctx context.Context, final string, write func(io.Writer) error) error {
	if err := os.Mkdir(filepath.Dir(final), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory: %w", err)
	}
	f, err := os.CreateTemp(s.tmp(), filepath.Base(final)[:12]+"-")
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
	if err := write(ctxWriter{ctx, f}); err != nil {
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
