package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft"
)

//go:embed migrations/*.sql
var migrations embed.FS

// prepare makes the database if there is none and says whether the last stop of an existing one was unclean: SQLite
// removes the write-ahead log when the last connection closes.
func prepare(ctx context.Context, path string) (unclean bool, err error) {
	wal, walErr := os.Stat(path + "-wal")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && walErr == nil:
		return false, damaged(path, errors.New("the file is missing, its write-ahead log is not"))
	case errors.Is(err, fs.ErrNotExist):
		return false, create(ctx, path)
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
func create(ctx context.Context, path string) error {
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
	if err := fill(ctx, temp); err != nil {
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
func fill(ctx context.Context, path string) error {
	s, err := connect(path)
	if err != nil {
		return err
	}
	_, err = s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	if err == nil {
		err = migrate(ctx, s.writer)
	}
	if err != nil {
		_ = s.Close() // the first error says why
		return s.fail(ctx, "create schema", err)
	}
	return s.fail(ctx, "create schema", s.Close())
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

// migrate applies the migrations the database does not have yet, each in a transaction with its number.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	version, err := userVersion(ctx, db)
	if err != nil {
		return err
	}
	if version > len(files) {
		return aloft.Errorf(aloft.Conflict, "the database has schema %d, this version of aloft knows up to %d", version, len(files)).
			WithHint("start the newer aloft again, or restore a backup made before the upgrade; nothing was changed")
	}
	for i, name := range files[version:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := apply(ctx, db, string(text), version+i+1); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, text string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", text, version)); err != nil {
		return err
	}
	return tx.Commit()
}

func userVersion(ctx context.Context, db *sql.DB) (version int, err error) {
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if version < 0 {
		return 0, fmt.Errorf("%w: schema version %d", errDamaged, version)
	}
	return version, nil
}
