// Package topic is the resource that passes messages on: SNS' API over a database. What a message leads to is decided when
// it is published, by the filters of the subscriptions of that moment, and is on the disk before the publisher hears that
// it was taken. Who takes deliveries (queues, functions) is not known here: see Deliver.
package topic

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/sqlite"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed sizes.sql
var makeSizes string

const countSizes = `SELECT CAST(body AS TEXT) ->> '$.topic', SUM(length(body) + 50) FROM outbox WHERE CAST(body AS TEXT) ->> '$.topic' <> '' GROUP BY 1`

// applicationID tells the file from those of other kinds and programs.
const applicationID = 0x0a10f7e8

// Store is all topics of this machine. It is safe for concurrent use, by two processes too.
type Store struct {
	Logger *slog.Logger // nil: none. Set it before the store is used

	db     *shelf.DB
	outbox *shelf.Outbox
	quota  *resource.Quota // nil: none
	told   sync.Map        // the ids of subscriptions that a failure was told of
}

// Open opens the topics in a directory, which is made if there is none. Shared says that another process may
// have them open now.
func Open(ctx context.Context, dir string, shared bool) (*Store, error) {
	db, err := shelf.Open(ctx, filepath.Join(dir, "topics.db"), sqlite.Kind{
		ID: applicationID, Schema: migrations, Sizes: sqlite.Sizes{Make: makeSizes, Count: countSizes}, Shared: shared,
	})
	if err != nil {
		return nil, err
	}
	return &Store{db: db, outbox: shelf.NewOutbox(db)}, nil
}

// Close ends all use of the store.
func (s *Store) Close() error { return s.db.Close() }

// Attributes are settings by AWS's names.
type Attributes map[string]string

// Topic is a topic.
type Topic struct {
	Name       string
	Owner      string // "app/stage", "" for one made through the API
	Created    time.Time
	Attributes Attributes
	Tags       map[string]string
}

// FIFO reports whether messages have an order.
func (t Topic) FIFO() bool { return t.Attributes["FifoTopic"] == "true" }

// ARN is the topic's name in AWS's API.
func (t Topic) ARN() string { return resource.ARN(aloft.Topic, t.Name) }

const selectTopic = `SELECT name, owner, created, attributes, tags FROM topics`

func scanTopic(row shelf.Row) (t Topic, err error) {
	var created int64
	var attributes, tags string
	if err := row.Scan(&t.Name, &t.Owner, &created, &attributes, &tags); err != nil {
		return Topic{}, err
	}
	t.Created = time.UnixMilli(created).UTC()
	return t, errors.Join(json.Unmarshal([]byte(attributes), &t.Attributes), json.Unmarshal([]byte(tags), &t.Tags))
}

func missing(name string) error { return aloft.Errorf(aloft.NotFound, "there is no topic %q", name) }

func find(row shelf.Row, name string) (Topic, error) {
	t, err := scanTopic(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Topic{}, missing(name)
	}
	return t, err
}

// Topic returns NotFound if there is none of that name.
func (s *Store) Topic(ctx context.Context, name string) (Topic, error) {
	return find(s.db.Reader().QueryRowContext(ctx, selectTopic+` WHERE name = ?`, name), name)
}

// Topics lists the topics by name, with owner "" all.
func (s *Store) Topics(ctx context.Context, owner string) ([]Topic, error) {
	all, err := shelf.Query(ctx, s.db.Reader(), scanTopic, selectTopic+` WHERE ? IN ('', owner) ORDER BY name`, owner)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return all, nil
}

// Create makes a topic, unless there is one of that name; made says which.
func (s *Store) Create(ctx context.Context, t Topic) (made bool, err error) {
	attributes, tags, err := texts(t)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		made, err = shelf.Insert(ctx, tx, `INSERT INTO topics (name, owner, created, attributes, tags) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			t.Name, t.Owner, shelf.Now(), attributes, tags)
		return err
	})
	return made, err
}

func texts(t Topic) (attributes, tags string, err error) {
	a, err := json.Marshal(t.Attributes)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(t.Tags)
	return string(a), string(b), err
}

// Change changes the attributes and tags of a topic. It returns NotFound if there is none.
func (s *Store) Change(ctx context.Context, name string, do func(t *Topic) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		t, err := find(tx.QueryRowContext(ctx, selectTopic+` WHERE name = ?`, name), name)
		if err != nil {
			return err
		}
		if t.Attributes == nil {
			t.Attributes = Attributes{}
		}
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		if err := do(&t); err != nil {
			return err
		}
		attributes, tags, err := texts(t)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE topics SET attributes = ?, tags = ? WHERE name = ?`, attributes, tags, name)
		return err
	})
}

// Delete deletes a topic with its subscriptions. That there is none is no error. Messages under way still arrive.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM topics WHERE name = ?`, name)
		return err
	})
}
