package shelf

import (
	"context"
	"database/sql"
)

// Row is what is scanned: one of a result, or the only one.
type Row interface{ Scan(into ...any) error }

// Querier is what rows are read from: DB.Reader, or the transaction of a change.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Query reads all rows of a query.
func Query[T any](ctx context.Context, from Querier, scan func(row Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// Text scans a row of one text.
func Text(row Row) (text string, err error) { return text, row.Scan(&text) }

// Insert runs an INSERT … ON CONFLICT DO NOTHING in a change, and says whether it made the row.
func Insert(ctx context.Context, tx *sql.Tx, statement string, args ...any) (made bool, err error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
