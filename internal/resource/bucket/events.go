package bucket

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Event tells a watcher of one change of an object.
type Event struct {
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	Name      string    `json:"name"` // ObjectCreated:Put, :Copy, :CompleteMultipartUpload, ObjectRemoved:Delete
	Time      time.Time `json:"time"`
	Size      int64     `json:"size,omitempty"` // of what was created
	ETag      string    `json:"eTag,omitempty"`
	Sequencer string    `json:"sequencer"`       // of two events of one key the later has the greater, compared as text
	Trace     string    `json:"trace,omitempty"` // of who changed it; see lineage
}

// tell puts an event in for all watchers of a bucket. created is nil for a removal.
func (s *Store) tell(ctx context.Context, tx *sql.Tx, c change, created *Object) error {
	watchers, err := shelf.Query(ctx, tx, shelf.Text, `SELECT watcher FROM watchers WHERE bucket = ?`, c.bucket)
	if err != nil {
		return err
	}
	at := time.Now().UTC()
	e := Event{Bucket: c.bucket, Key: c.key, Name: c.name, Time: at, Sequencer: fmt.Sprintf("%016X", at.UnixNano()), Trace: c.trace}
	if created != nil {
		e.Size, e.ETag = created.Size, created.ETag()
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	for _, watcher := range watchers {
		if err := s.outbox.Put(tx, watcher, body); err != nil {
			return err
		}
	}
	return nil
}

// Watch makes a watcher be told of every change of a bucket from now on: each is kept, over crashes and restarts, until
// Deliver has handed it out. Watching twice is harmless. It returns NotFound if there is no such bucket.
func (s *Store) Watch(ctx context.Context, bucket, watcher string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := s.before(ctx, tx, change{bucket: bucket}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO watchers (bucket, watcher) VALUES (?, ?) ON CONFLICT DO NOTHING`, bucket, watcher)
		return err
	})
}

// Unwatch ends that. A watcher that watches no other bucket has nothing waiting for it then.
func (s *Store) Unwatch(ctx context.Context, bucket, watcher string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM watchers WHERE watcher = ? AND bucket = ?`, watcher, bucket); err != nil {
			return err
		}
		var watches bool
		row := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM watchers WHERE watcher = ?)`, watcher)
		if err := row.Scan(&watches); err != nil || watches {
			return err
		}
		return s.outbox.Drop(tx, watcher)
	})
}

// Deliver hands events to a watcher, at least once each, until ctx ends. One that hand refuses comes again after a pause.
func (s *Store) Deliver(ctx context.Context, watcher string, hand func(ctx context.Context, e Event) error) error {
	return s.outbox.Deliver(ctx, watcher, func(ctx context.Context, body []byte) error {
		var e Event
		if err := json.Unmarshal(body, &e); err != nil {
			return err
		}
		return hand(ctx, e)
	})
}
