package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft"
)

// prepare makes the database if there is none and says whether the last stop of an existing one was unclean: SQLite
// removes the write-ahead log when the last connection closes.
func prepare(ctx context.Context, path string, kind Kind) (unclean bool, err error) {
	wal, walErr := os.Stat(path + "-wal")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && walErr == nil:
		return false, damaged(path, errors.New("the file is missing, its write-ahead log is not"))
	case errors.Is(err, fs.ErrNotExist):
		return false, create(ctx, path, kind)
	case err != nil:
		return false, aloft.Errorf(aloft.Internal, "open database: %w", err)
	case !info.Mode().IsRegular():
		return false, aloft.Errorf(aloft.Conflict, "the database %s is not a regular file", path).WithHint("move it away, or choose another home")
	case info.Size() == 0: // create never leaves one; SQLite would take it for a new database
		return false, damaged(path, errors.New("the file is empty"))
	}
	if info.Mode().Perm() != 0o600 {
		if err := os.Chmod(path, 0o600); err != nil {
			return false, aloft.Errorf(aloft.Internal, "protect database: %w", err)
		}
	}
	return walErr == nil && wal.Size() > 0, nil
}

// create makes the database under another name and renames it, so that a kill never leaves half a database at path.
func create(ctx context.Context, path string, kind Kind) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	temp := path + ".new"
	for _, leftover := range []string{temp, temp + "-wal", temp + "-shm"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return aloft.Errorf(aloft.Internal, "create database: %w", err)
		}
	}
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := fill(ctx, temp, kind); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	if err := file.Sync(); err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// fill gives the empty file its schema.
func fill(ctx context.Context, path string, kind Kind) error {
	d, err := connect(path, kind)
	if err != nil {
		return err
	}
	_, err = d.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", kind.ID))
	if err == nil {
		err = d.migrate(ctx)
	}
	if err != nil {
		_ = d.Close() // the first error says why
		return d.fail(ctx, "create schema", err)
	}
	return d.fail(ctx, "create schema", d.Close())
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil {
		return aloft.Errorf(aloft.Internal, "create database: %w", err)
	}
	return nil
}
