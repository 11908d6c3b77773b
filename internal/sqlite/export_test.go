package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"testing"
)

// OpenWith is Open with other migrations.
func OpenWith(ctx context.Context, path string, schema fs.FS) (*Store, error) {
	return openWith(ctx, path, schema)
}

// HoldReader keeps a connection in use until end is called.
func HoldReader(t *testing.T, s *Store) (end func()) {
	t.Helper()
	conn, err := s.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close() }
}

// CountSizesAround is CountSizes; what between does comes after the beginning.
func CountSizesAround(ctx context.Context, d *Database, between func()) error {
	c, err := d.beginSizes(ctx)
	if err != nil {
		return err
	}
	between()
	return errors.Join(c.finish(ctx), c.writer.Close())
}
