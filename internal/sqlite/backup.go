package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// keptBackups is how many copies of the database stay.
const keptBackups = 3

// backup copies the database to a file beside it, named after its schema and the time. It is on the disk when backup
// returns. Of earlier copies the newest stay.
func (d *Database) backup(ctx context.Context, version int) error {
	const what = "copy the database before its schema changes"
	path := fmt.Sprintf("%s.schema%d-%s", d.path, version, time.Now().UTC().Format("20060102T150405.000Z"))
	temp := d.path + ".backup"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // a kill left it
		return aloft.Errorf(aloft.Internal, "%s: %w", what, err)
	}
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite would let others read it
	if err != nil {
		return aloft.Errorf(aloft.Internal, "%s: %w", what, err)
	}
	defer func() { _ = file.Close() }()
	if _, err = d.writer.ExecContext(ctx, "VACUUM INTO ?", temp); err != nil {
		_ = os.Remove(temp)
		return d.fail(ctx, what, err)
	}
	if err = errors.Join(file.Sync(), os.Rename(temp, path), syncDir(filepath.Dir(path))); err != nil {
		return aloft.Errorf(aloft.Internal, "%s: %w", what, err)
	}
	all := backupsOf(d.path, anySchema)
	for _, old := range all[:max(0, len(all)-keptBackups)] {
		_ = os.Remove(old) // the next backup tries again
	}
	return nil
}

const anySchema = -1

// backupsOf lists the copies of the database with a schema, oldest first.
func backupsOf(path string, schema int) []string {
	entries, _ := os.ReadDir(filepath.Dir(path)) // a pattern would trip over the characters of a path
	var found []string
	at := map[string]string{}
	for _, e := range entries {
		version, stamp := 0, ""
		n, _ := fmt.Sscanf(e.Name(), filepath.Base(path)+".schema%d-%s", &version, &stamp)
		if n == 2 && (schema == anySchema || version == schema) {
			name := filepath.Join(filepath.Dir(path), e.Name())
			found, at[name] = append(found, name), stamp
		}
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(at[a], at[b]) })
	return found
}

// restore puts the newest backup with this schema in the place of the database, which nobody has open.
func restore(path string, schema int) error {
	backups := backupsOf(path, schema)
	if len(backups) == 0 {
		return aloft.Errorf(aloft.Internal, "there is no copy of %s with schema %d", path, schema)
	}
	temp := path + ".restored"
	content, err := os.ReadFile(backups[len(backups)-1])
	if err != nil {
		return aloft.Errorf(aloft.Internal, "restore the database: %w", err)
	}
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return aloft.Errorf(aloft.Internal, "restore the database: %w", err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = errors.Join(os.Rename(temp, path), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return aloft.Errorf(aloft.Internal, "restore the database: %w", err)
	}
	return nil
}
