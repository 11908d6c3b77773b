package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// queryer is a transaction or a pool.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: time %q", errDamaged, text)
	}
	return t.UTC(), nil
}

// collect scans all rows of a query.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

const selectApp = `SELECT name, key, created_at FROM apps`

func scanApp(row scanner) (app aloft.App, err error) {
	var at string
	if err := row.Scan(&app.Name, &app.Key, &at); err != nil {
		return aloft.App{}, err
	}
	app.CreatedAt, err = parseTime(at)
	return app, err
}

// CreateApp implements aloft.AppStore.
func (s *Store) CreateApp(ctx context.Context, app aloft.App) error {
	if err := aloft.CheckName("app", app.Name); err != nil {
		return err
	}
	return s.write(ctx, "create app", func(tx *sql.Tx) error {
		switch err := findApp(ctx, tx, app.Name); {
		case err == nil:
			return aloft.Errorf(aloft.Conflict, "app %q exists", app.Name)
		case aloft.ErrorCode(err) != aloft.NotFound:
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO apps (name, key, created_at) VALUES (?, ?, ?)`, app.Name, app.Key, formatTime(app.CreatedAt))
		return err
	})
}

// findApp returns NotFound if there is no such app.
func findApp(ctx context.Context, q queryer, name string) error {
	var one int
	err := q.QueryRowContext(ctx, `SELECT 1 FROM apps WHERE name = ?`, name).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return aloft.Errorf(aloft.NotFound, "there is no app %q", name)
	}
	return err
}

// App implements aloft.AppStore.
func (s *Store) App(ctx context.Context, name string) (aloft.App, error) {
	app, err := scanApp(s.reader.QueryRowContext(ctx, selectApp+` WHERE name = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return aloft.App{}, aloft.Errorf(aloft.NotFound, "there is no app %q", name)
	}
	return app, s.fail(ctx, "read app", err)
}

// Apps implements aloft.AppStore.
func (s *Store) Apps(ctx context.Context) ([]aloft.App, error) {
	rows, err := s.reader.QueryContext(ctx, selectApp+` ORDER BY name`)
	apps, err := collect(rows, err, scanApp)
	return apps, s.fail(ctx, "list apps", err)
}

// DeleteApp implements aloft.AppStore.
func (s *Store) DeleteApp(ctx context.Context, name string) error {
	return s.write(ctx, "delete app", func(tx *sql.Tx) error {
		if err := findApp(ctx, tx, name); err != nil {
			return err
		}
		stages := 0
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM stages WHERE app = ?`, name).Scan(&stages); err != nil {
			return err
		}
		if stages > 0 {
			return aloft.Errorf(aloft.Conflict, "app %q has stages", name)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM apps WHERE name = ?`, name)
		return err
	})
}
