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
func (s *Store) Suspend(ctx context.Context) error {
	s.lent.Store(true)
	s.reader.SetMaxIdleConns(0)
	s.writer.SetMaxIdleConns(0)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.reader.Stats().OpenConnections+s.writer.Stats().OpenConnections > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.keepConnections()
			s.lent.Store(false)
			return fmt.Errorf("close the database: %w", ctx.Err())
		}
	}
	return nil
}

// Resume opens the database again after the other process has closed it. If that one has changed the schema, the state is
// what it was before: the copy from before the change takes the place of the database.
func (s *Store) Resume(ctx context.Context) error {
	s.keepConnections()
	s.lent.Store(false)
	version, err := userVersion(ctx, s.writer)
	if err != nil {
		return s.fail(ctx, "open the database again", err)
	}
	files, err := fs.Glob(s.schema, allMigrations)
	if err != nil || version <= len(files) {
		return err
	}
	if err := s.Suspend(ctx); err != nil { // folds the write-ahead log into the file: none may meet the other one
		return err
	}
	err = restore(s.path, len(files))
	s.keepConnections()
	s.lent.Store(false)
	return err
}

func (s *Store) keepConnections() {
	s.writer.SetMaxIdleConns(1)
	s.reader.SetMaxIdleConns(readers)
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
