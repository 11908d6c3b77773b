package topic

import (
	"context"
	"database/sql"
)

// SetPolicy gives all subscriptions a filter policy that is not checked, as one from before is not.
func (s *Store) SetPolicy(ctx context.Context, policy string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET attributes = json_set(attributes, '$.FilterPolicy', ?)`, policy)
		return err
	})
}
