package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// Meta returns a value that SetMeta stored, nil if there is none. It is for what must live and be restored together with
// the apps, such as the value that recognises the master key.
func (s *Store) Meta(ctx context.Context, name string) (value []byte, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, s.fail(ctx, "read "+name, err)
}

// SetMeta stores a value under a name, in place of the one before. It is durable when SetMeta returns.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	return s.write(ctx, "store "+name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
