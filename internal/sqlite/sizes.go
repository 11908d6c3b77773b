package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// Sizes are how many bytes a database holds by name, in the table sizes (name, bytes), which triggers keep. They come beside the
// schema and change no number of it: a server of an older version opens the file as before, and the triggers count what it
// writes, too. Bytes may be less than 0 while what was there before is being counted, so triggers add to names that have no row.
type Sizes struct {
	Make  string // drops table and triggers if they are there, and makes them: SQL that takes no time
	Count string // SELECT of names and bytes of all that is there
}

// Size runs a query for one number over sizes; 0 while they are not counted.
func (d *Database) Size(ctx context.Context, query string, args ...any) (size int64, err error) {
	if !d.counted.Load() {
		return 0, nil
	}
	err = d.reader.QueryRowContext(ctx, query, args...).Scan(&size)
	return size, d.fail(ctx, "measure what there is", err)
}

// Counted reports whether there are sizes.
func (d *Database) Counted() bool { return d.counted.Load() }

// CountSizes makes the sizes and counts what is there, unless that was done before. OpenDatabase does so by itself, but for a
// Shared database: its caller does when the server is the one that stays. Others may write meanwhile.
func (d *Database) CountSizes(ctx context.Context) error {
	return d.fail(ctx, "count what there is", d.countSizes(ctx))
}

func (d *Database) countSizes(ctx context.Context) error {
	if err := d.lookCounted(ctx); err != nil || d.kind.Sizes.Make == "" || d.counted.Load() {
		return err
	}
	c, err := d.beginSizes(ctx)
	if err == nil {
		err = errors.Join(c.finish(ctx), c.writer.Close())
	}
	if err != nil {
		return err
	}
	return d.lookCounted(ctx)
}

// lookCounted notes whether the sizes are counted.
func (d *Database) lookCounted(ctx context.Context) error {
	var counted bool
	err := d.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sizes_count')`).Scan(&counted)
	if err == nil && counted {
		err = d.reader.QueryRowContext(ctx, `SELECT done FROM sizes_count`).Scan(&counted)
	}
	d.counted.Store(err == nil && counted)
	return err
}

// counting is a count that has begun.
type counting struct {
	writer *sql.DB
	before *sql.Tx // a view of what there was when triggers began to count
	query  string
	id     string // tells it from others
}

// beginSizes has triggers count from now on, and keeps a view of what was there until now: between the two nobody writes.
func (d *Database) beginSizes(ctx context.Context) (*counting, error) {
	writer, err := open(d.path, "_txlock=immediate", d.lent) // d.writer may be in use for good
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	c := &counting{writer: writer, query: d.kind.Sizes.Count, id: rand.Text()}
	if _, err = writer.ExecContext(ctx, `PRAGMA busy_timeout = 30000`); err == nil { // ms: others may write all the time
		err = c.begin(ctx, d)
	}
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return c, nil
}

func (c *counting) begin(ctx context.Context, d *Database) error {
	tx, err := c.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if c.before, err = d.reader.BeginTx(ctx, nil); err != nil {
		return err
	}
	var tables int
	err = c.before.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`).Scan(&tables) // the view begins with the first read
	if err == nil {
		_, err = tx.ExecContext(ctx, d.kind.Sizes.Make+`; DROP TABLE IF EXISTS sizes_count; CREATE TABLE sizes_count (id TEXT NOT NULL, done INTEGER NOT NULL) STRICT`)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO sizes_count VALUES (?, 0)`, c.id)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return errors.Join(err, c.before.Rollback())
	}
	return nil
}

// finish counts what was there before, and adds it.
func (c *counting) finish(ctx context.Context) error {
	sizes, err := readSizes(ctx, c.before, c.query)
	_ = c.before.Rollback() // it has only read
	if err != nil {
		return err
	}
	return addSizes(ctx, c.writer, c.id, sizes)
}

func readSizes(ctx context.Context, tx *sql.Tx, query string) (map[string]int64, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	sizes := map[string]int64{}
	for rows.Next() {
		var name string
		var size int64
		if err := rows.Scan(&name, &size); err != nil {
			return nil, fmt.Errorf("read a size: %w", err)
		}
		sizes[name] += size
	}
	return sizes, rows.Err()
}

// addSizes adds what was there before the triggers, unless another server has begun to count anew.
func addSizes(ctx context.Context, writer *sql.DB, id string, sizes map[string]int64) error {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	result, err := tx.ExecContext(ctx, `UPDATE sizes_count SET done = 1 WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	for name, size := range sizes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sizes VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes`, name, size); err != nil {
			return err
		}
	}
	return tx.Commit()
}
