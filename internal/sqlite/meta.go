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

// Metas returns the values whose names begin with a prefix, by name.
func (s *Store) Metas(ctx context.Context, prefix string) (map[string][]byte, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT name, value FROM meta WHERE substr(name, 1, length(?)) = ?`, prefix, prefix)
	if err != nil {
		return nil, s.fail(ctx, "read "+prefix, err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string][]byte{}
	for rows.Next() {
		var name string
		var value []byte
		if err := rows.Scan(&name, &value); err != nil {
			return nil, s.fail(ctx, "read "+prefix, err)
		}
		all[name] = value
	}
	return all, s.fail(ctx, "read "+prefix, rows.Err())
}

// DeleteMeta forgets a value. There need not be one.
func (s *Store) DeleteMeta(ctx context.Context, name string) error {
	return s.write(ctx, "forget "+name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM meta WHERE name = ?`, name)
		return err
	})
}
