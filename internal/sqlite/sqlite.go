// Package sqlite is the embedded aloft.AppService: one SQLite database file beside its write-ahead log. A call that
// returned without error is on the disk. The package never repairs a damaged database and never opens one made by a newer
// version; both are refused with what to do. Below it, package messages keeps its own file the same way.
package sqlite

import (
	"context"
	"io/fs"

	"github.com/aloft-run/aloft"
)

// applicationID marks a database as ours: "aloft" squeezed into the 32 bits that SQLite's header has for it.
const applicationID = 0x0a10f7db

// Store is an open database of apps, stages and releases. It is safe for concurrent use.
type Store struct{ *Database }

var _ aloft.AppService = (*Store)(nil)

// Open opens the database at path and makes it if there is none. See OpenDatabase.
func Open(ctx context.Context, path string) (*Store, error) { return openWith(ctx, path, migrations) }

func openWith(ctx context.Context, path string, schema fs.FS) (*Store, error) {
	d, err := OpenDatabase(ctx, path, Kind{ID: applicationID, Schema: schema})
	if err != nil {
		return nil, err
	}
	return &Store{d}, nil
}
