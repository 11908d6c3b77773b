package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/aloft-run/aloft"
)

//go:embed migrations/*.sql
var migrations embed.FS

const allMigrations = "migrations/*.sql"

// Schema is the newest schema that this version knows, and the one that a Store has.
func Schema() int {
	files, _ := fs.Glob(migrations, allMigrations) // the pattern is a good one
	return len(files)
}

// migrate applies the migrations the database does not have yet, each in a transaction with its number. A database that
// had a schema before is copied first.
func (d *Database) migrate(ctx context.Context) error {
	files, err := fs.Glob(d.kind.Schema, allMigrations)
	if err != nil {
		return err
	}
	version, err := userVersion(ctx, d.writer)
	if err != nil {
		return err
	}
	if version > len(files) {
		return d.newer(ctx, version, len(files))
	}
	if version > 0 && version < len(files) {
		if d.kind.Shared {
			return d.older(version, len(files))
		}
		if err := d.backup(ctx, version); err != nil {
			return err
		}
	}
	for i, name := range files[version:] {
		text, err := fs.ReadFile(d.kind.Schema, name)
		if err != nil {
			return err
		}
		if err := apply(ctx, d.writer, string(text), version+i+1); err != nil {
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

// writtenBy is the entry of meta that says which version of aloft wrote last.
const writtenBy = "written-by"

// SetVersion notes which version of aloft uses the database, for the message of an older one that meets it.
func (s *Store) SetVersion(ctx context.Context, version string) error {
	old, err := s.Meta(ctx, writtenBy)
	if err != nil || string(old) == version {
		return err
	}
	return s.SetMeta(ctx, writtenBy, []byte(version))
}

// newer refuses a database whose schema is unknown, and says what to do.
func (d *Database) newer(ctx context.Context, version, known int) error {
	by := "a newer aloft"
	var name string
	row := d.writer.QueryRowContext(ctx, `SELECT CAST(value AS TEXT) FROM meta WHERE name = ?`, writtenBy)
	if row.Scan(&name) == nil && name != "" { // the newer schema may know no such table
		by = "the newer aloft " + name
	}
	err := aloft.Errorf(aloft.Conflict, "the database %s was written by %s and has schema %d; this version of aloft knows up to %d", d.path, by, version, known)
	backups := backupsOf(d.path, known)
	if len(backups) == 0 {
		return err.WithHint("start %s again, or put a backup made before the upgrade in the place of the database; nothing was changed", by)
	}
	return err.WithHint("start %[1]s again; or return to the state before the upgrade, without what was released since: "+
		"mv %[2]s %[2]s.newer && cp -p %[3]s %[2]s; nothing was changed", by, d.path, backups[len(backups)-1])
}

// older refuses to change the schema of a database that a server of an older version has open, and will open again if this one
// does not take its place.
func (d *Database) older(version, needed int) error {
	return aloft.Errorf(aloft.Conflict, "the database %s has schema %d, and the server that has it open knows no newer one; this version of aloft needs %d",
		d.path, version, needed).WithHint("stop the server and start it again with this version: aloft stop --server; nothing was changed")
}

// SchemaOf reads the schema of the database at path from its head; 0 if there is none. A server that was killed may have
// brought it further.
func SchemaOf(path string) int {
	const userVersion, headSize = 60, 100
	head := make([]byte, headSize)
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	if _, err := io.ReadFull(file, head); err != nil {
		return 0
	}
	return int(binary.BigEndian.Uint32(head[userVersion:]))
}

// Backup is the newest copy of the database at path that has a schema, "" if there is none.
func Backup(path string, schema int) string {
	all := backupsOf(path, schema)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
