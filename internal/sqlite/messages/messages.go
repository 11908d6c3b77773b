// Package messages keeps durable queues in a SQLite file of their own, by name: what a function is to work on later, what
// waits in a queue of an app, what nobody could work on. What was put is on the disk when the call returns, and stays until
// it is deleted: a message may come more than once, and is never lost.
//
// Calls from many goroutines share transactions, and with them the waits for the disk: one goroutine writes. The package
// knows nothing of what messages mean.
package messages

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed sizes.sql
var makeSizes string

// countSizes does not read all of long bodies: SQLite knows the length of a blob from its row's head.
const countSizes = `SELECT queue, SUM(length(body) + length(attributes) + 200) FROM messages GROUP BY queue`

// applicationID tells the file from aloft's database and from those of other programs.
const applicationID = 0x0a10f7e5

// Message is one as it is in its queue. Its memory is the caller's.
type Message struct {
	Sequence   int64  // rises with each message of the file
	ID         string // the putter's, or a random one
	Queue      string
	Body       []byte
	Attributes []byte // what the putter says of the body
	Group      string
	Enqueued   time.Time
	Due        time.Time // from when on it may be claimed
	Claimed    time.Time // first; zero if never
	Claims     int       // times that it was claimed, this one included
	Receipt    string    // of the claim, good until the next one; "" if the message was not claimed
}

// Store is an open file. It is safe for concurrent use. Two processes may have a file open at once, which a server and the
// one that takes its place do; what one puts does not wake what waits in the other.
type Store struct {
	db       *sqlite.Database
	owner    string // of claims that end with this Store
	requests chan *request
	closing  chan struct{}
	ended    chan struct{} // closed when the writer has returned
	once     sync.Once
	bells    bells
}

// Open opens the file at path and makes it if there is none. It returns Internal, with how to restore, for a damaged file,
// and Conflict for one of a newer version or of another program.
func Open(ctx context.Context, path string) (*Store, error) { return open(ctx, path, false) }

// Join is Open while another process has the file open: how that one ends is not known yet, and nothing is looked through.
func Join(ctx context.Context, path string) (*Store, error) { return open(ctx, path, true) }

func open(ctx context.Context, path string, shared bool) (*Store, error) {
	db, err := sqlite.OpenDatabase(ctx, path, sqlite.Kind{
		ID: applicationID, Schema: migrations, Sizes: sqlite.Sizes{Make: makeSizes, Count: countSizes}, Shared: shared,
	})
	if err != nil {
		return nil, err
	}
	conn, err := db.Writer().Conn(ctx)
	if err != nil {
		return nil, errors.Join(db.Fail(ctx, "open the queues", err), db.Close())
	}
	s := &Store{
		db: db, owner: newID(), requests: make(chan *request), closing: make(chan struct{}), ended: make(chan struct{}),
		bells: bells{all: map[string]*bell{}},
	}
	w := &writer{store: s, conn: conn}
	go func() {
		defer close(s.ended)
		w.run()
	}()
	return s, nil
}

// CountSizes is for a Store that has joined another process, once it stays: see sqlite.Database.
func (s *Store) CountSizes(ctx context.Context) error { return s.db.CountSizes(ctx) }

// Close ends all use of the file. Calls that come later return Unavailable.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	<-s.ended
	return s.db.Close()
}

// Check reads the whole file and compares it with its indexes. It returns Internal, with how to restore, for damage.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// newID is random, 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

var errClosed = aloft.Errorf(aloft.Unavailable, "the queues are closed: the aloft server ends").WithHint("type the same command again")
