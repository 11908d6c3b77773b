// Package queue is the resource that holds messages until one receiver has taken care of each: SQS' API over a database.
// A message that was sent is on the disk; it comes at least once, and again when its receiver does not delete it in time.
package queue

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID tells the file from those of other kinds and programs.
const applicationID = 0x0a10f7e9

// Store is all queues of this machine. It is safe for concurrent use, by two processes too.
type Store struct {
	db       *shelf.DB
	messages *messages.Store
	quota    *resource.Quota // nil: none
	expiries sync.WaitGroup
	stop     context.CancelFunc
}

// Open opens the queues in a directory, which is made if there is none. Shared says that another process may have them open
// now.
func Open(ctx context.Context, dir string, shared bool) (*Store, error) {
	db, err := shelf.Open(ctx, filepath.Join(dir, "queues.db"), sqlite.Kind{ID: applicationID, Schema: migrations, Shared: shared})
	if err != nil {
		return nil, err
	}
	open := messages.Open
	if shared {
		open = messages.Join
	}
	m, err := open(ctx, filepath.Join(dir, "messages.db"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{db: db, messages: m}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.expiries.Go(func() { s.keepExpired(ctx) })
	return s, nil
}

// Close ends all use of the store. Those who wait for messages are told.
func (s *Store) Close() error {
	s.stop()
	s.expiries.Wait()
	return errors.Join(s.messages.Close(), s.db.Close())
}

// Queue is a queue.
type Queue struct {
	Name       string
	Owner      string // "app/stage", "" for one made through the API
	Created    time.Time
	Modified   time.Time
	Attributes Attributes
	Tags       map[string]string

	id string
}

// ARN is the queue's name in AWS's API.
func (q Queue) ARN() string { return resource.ARN(aloft.Queue, q.Name) }

const selectQueue = `SELECT name, owner, id, created, modified, attributes, tags FROM queues`

func scanQueue(row shelf.Row) (q Queue, err error) {
	var created, modified int64
	var attributes, tags string
	if err := row.Scan(&q.Name, &q.Owner, &q.id, &created, &modified, &attributes, &tags); err != nil {
		return Queue{}, err
	}
	q.Created, q.Modified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	return q, errors.Join(json.Unmarshal([]byte(attributes), &q.Attributes), json.Unmarshal([]byte(tags), &q.Tags))
}

func missing(name string) error { return aloft.Errorf(aloft.NotFound, "there is no queue %q", name) }

func find(row shelf.Row, name string) (Queue, error) {
	q, err := scanQueue(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Queue{}, missing(name)
	}
	return q, err
}

// Queue returns NotFound if there is none of that name.
func (s *Store) Queue(ctx context.Context, name string) (Queue, error) {
	return find(s.db.Reader().QueryRowContext(ctx, selectQueue+` WHERE name = ?`, name), name)
}

// Queues lists the queues by name, with owner "" all.
func (s *Store) Queues(ctx context.Context, owner string) ([]Queue, error) {
	all, err := shelf.Query(ctx, s.db.Reader(), scanQueue, selectQueue+` WHERE ? IN ('', owner) ORDER BY name`, owner)
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return all, nil
}

// Create makes a queue, unless there is one of that name; made says which. It returns Invalid for bad attributes.
func (s *Store) Create(ctx context.Context, q Queue) (made bool, err error) {
	if err := q.check(); err != nil {
		return false, err
	}
	attributes, tags, err := texts(q)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		made, err = shelf.Insert(ctx, tx, `INSERT INTO queues (name, owner, id, created, modified, attributes, tags) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
			ON CONFLICT DO NOTHING`, q.Name, q.Owner, aloft.NewID(), shelf.Now(), attributes, tags)
		return err
	})
	return made, err
}

func texts(q Queue) (attributes, tags string, err error) {
	a, err := json.Marshal(q.Attributes)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(q.Tags)
	return string(a), string(b), err
}

// Change changes the attributes and tags of a queue. It returns NotFound if there is none, Invalid for bad attributes.
func (s *Store) Change(ctx context.Context, name string, do func(q *Queue) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q, err := find(tx.QueryRowContext(ctx, selectQueue+` WHERE name = ?`, name), name)
		if err != nil {
			return err
		}
		if q.Attributes == nil {
			q.Attributes = Attributes{}
		}
		if q.Tags == nil {
			q.Tags = map[string]string{}
		}
		if err := do(&q); err != nil {
			return err
		}
		if err := q.check(); err != nil {
			return err
		}
		attributes, tags, err := texts(q)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE queues SET attributes = ?, tags = ?, modified = ? WHERE name = ?`, attributes, tags, shelf.Now(), name)
		return err
	})
}

// Delete deletes a queue with its messages. It returns NotFound if there is none.
func (s *Store) Delete(ctx context.Context, name string) error {
	id := ""
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q, err := find(tx.QueryRowContext(ctx, selectQueue+` WHERE name = ?`, name), name)
		if err != nil {
			return err
		}
		id = q.id
		_, err = tx.ExecContext(ctx, `DELETE FROM queues WHERE name = ?`, name)
		return err
	})
	if err == nil {
		_, err = s.messages.Purge(ctx, id)
	}
	return err
}

// Purge deletes the messages of a queue, those too that receivers have. It returns NotFound if there is no queue.
func (s *Store) Purge(ctx context.Context, name string) error {
	q, err := s.Queue(ctx, name)
	if err == nil {
		_, err = s.messages.Purge(ctx, q.id)
	}
	return err
}

// Counts counts the messages of a queue. It returns NotFound if there is none.
func (s *Store) Counts(ctx context.Context, name string) (messages.Counts, error) {
	q, err := s.Queue(ctx, name)
	if err != nil {
		return messages.Counts{}, err
	}
	return s.messages.Count(ctx, q.id)
}

// expiryPause is the time between removals of messages that nobody took for too long.
const expiryPause = time.Minute

func (s *Store) keepExpired(ctx context.Context) {
	tick := time.NewTicker(expiryPause)
	defer tick.Stop()
	for {
		all, _ := s.Queues(ctx, "") // the next look may succeed
		for _, q := range all {
			_, _ = s.messages.Expire(ctx, q.id, time.Now().Add(-q.Attributes.seconds(retention)))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
