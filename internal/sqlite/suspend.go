package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
)

// Suspend closes the database so that another process may open it, as one Store at a time may. Until Resume, calls return
// Unavailable. It waits for those under way; if ctx ends first nothing is changed.
func (d *Database) Suspend(ctx context.Context) error {
	d.lent.Store(true)
	d.reader.SetMaxIdleConns(0)
	d.writer.SetMaxIdleConns(0)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for d.reader.Stats().OpenConnections+d.writer.Stats().OpenConnections > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			d.keepConnections()
			d.lent.Store(false)
			return fmt.Errorf("close the database: %w", ctx.Err())
		}
	}
	return nil
}

// Resume opens the database again after the other process has closed it. If that one has changed the schema, the state is
// what it was before: the copy from before the change takes the place of the database.
func (d *Database) Resume(ctx context.Context) error {
	d.keepConnections()
	d.lent.Store(false)
	version, err := userVersion(ctx, d.writer)
	if err != nil {
		return d.fail(ctx, "open the database again", err)
	}
	files, err := fs.Glob(d.kind.Schema, allMigrations)
	if err != nil || version <= len(files) {
		return err
	}
	if err := d.Suspend(ctx); err != nil { // folds the write-ahead log into the file: none may meet the other one
		return err
	}
	err = restore(d.path, len(files))
	d.keepConnections()
	d.lent.Store(false)
	return err
}

func (d *Database) keepConnections() {
	d.writer.SetMaxIdleConns(1)
	d.reader.SetMaxIdleConns(readers)
}

// lender makes no connections while the database is lent to another process.
type lender struct {
	driver.Connector

	lent *atomic.Bool
}

// Connect implements driver.Connector.
func (l lender) Connect(ctx context.Context) (driver.Conn, error) {
	if l.lent.Load() {
		return nil, aloft.Errorf(aloft.Unavailable, "the aloft server is being replaced by another one").
			WithHint("type the same command again")
	}
	return l.Connector.Connect(ctx)
}
