package shelf

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	lease      = 30 * time.Second // for which what was handed out is nobody else's
	look       = 250 * time.Millisecond
	lookAtMost = 2 * time.Second // between looks when nothing came for a while: another process puts things in without a word
	maxPause   = 5 * time.Minute
	perLook    = 32

	// maxTries is after how many refusals a thing is dropped: four days. What it is for is gone by then.
	maxTries = 4 * 24 * 12

	maxFailures = 20 // looks in a row that the database refuses
)

// Outbox holds what must reach a reader at least once: it is written in the transaction of what it tells of, and deleted
// when the reader has taken it. While two processes have the database open, each thing is handed out by one of them.
type Outbox struct {
	db *DB

	mu   sync.Mutex
	wake chan struct{} // closed and replaced when something was put in
}

// NewOutbox returns the outbox of a database that has a table outbox: id, reader, body, due and tries.
func NewOutbox(db *DB) *Outbox { return &Outbox{db: db, wake: make(chan struct{})} }

// Put puts something in for a reader. Wake must follow once the transaction has ended.
func (o *Outbox) Put(tx *sql.Tx, reader string, body []byte) error {
	_, err := tx.Exec(`INSERT INTO outbox (reader, body, due) VALUES (?, ?, ?)`, reader, body, Now()) //nolint:noctx // of the writer
	return err
}

// Drop forgets what waits for a reader.
func (o *Outbox) Drop(tx *sql.Tx, reader string) error {
	_, err := tx.Exec(`DELETE FROM outbox WHERE reader = ?`, reader) //nolint:noctx // of the writer
	return err
}

// Wake makes Deliver look at once.
func (o *Outbox) Wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.wake)
	o.wake = make(chan struct{})
}

func (o *Outbox) woken() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wake
}

// letter is what was handed out.
type letter struct {
	id, tries int64
	body      []byte
}

// Deliver hands what was put in for a reader to hand, one after another, until ctx ends. What hand refuses comes again after
// a pause, which grows up to 5 minutes, for four days; what comes after it does not wait. The error says that the database fails, for longer.
func (o *Outbox) Deliver(ctx context.Context, reader string, hand func(ctx context.Context, body []byte) error) error {
	failures, pause := 0, look
	for ctx.Err() == nil {
		woken := o.woken()
		n, next, err := o.deliver(ctx, reader, hand)
		if failures++; err == nil {
			failures = 0
		}
		if failures > maxFailures {
			return err
		}
		if n > 0 && err == nil {
			pause = look
			continue
		}
		timer := time.NewTimer(min(pause, next))
		pause = min(2*pause, lookAtMost)
		select {
		case <-woken:
			pause = look
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// deliver hands out what is due, and says how many that was, and if it was nothing, in what time something will be.
func (o *Outbox) deliver(ctx context.Context, reader string, hand func(ctx context.Context, body []byte) error) (n int, next time.Duration, err error) {
	next, err = o.next(ctx, reader)
	if err != nil || next > 0 {
		return 0, max(next, look), err
	}
	letters, err := o.claim(ctx, reader)
	for n < len(letters) && ctx.Err() == nil && err == nil {
		l := letters[n]
		err = o.settle(ctx, l, hand(ctx, l.body))
		n++
	}
	return n, look, err
}

// next says in what time something is due, 0 if something is.
func (o *Outbox) next(ctx context.Context, reader string) (time.Duration, error) {
	var due sql.NullInt64
	if err := o.db.Reader().QueryRowContext(ctx, `SELECT min(due) FROM outbox WHERE reader = ?`, reader).Scan(&due); err != nil {
		return look, ended(ctx, err)
	}
	if !due.Valid {
		return lookAtMost, nil
	}
	return max(0, time.Duration(due.Int64-Now())*time.Millisecond), nil
}

// claim takes the first things that are due.
func (o *Outbox) claim(ctx context.Context, reader string) ([]letter, error) {
	var letters []letter
	err := o.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		letters = nil
		rows, err := tx.QueryContext(ctx, `UPDATE outbox SET due = ? WHERE id IN (SELECT id FROM outbox WHERE reader = ? AND due <= ? ORDER BY due, id LIMIT ?)
			RETURNING id, tries, body`, Now()+lease.Milliseconds(), reader, Now(), perLook)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var l letter
			if err := rows.Scan(&l.id, &l.tries, &l.body); err != nil {
				return err
			}
			letters = append(letters, l)
		}
		return rows.Err()
	})
	slices.SortFunc(letters, func(a, b letter) int { return cmp.Compare(a.id, b.id) })
	return letters, ended(ctx, err)
}

// settle deletes what was taken and puts off what was not. It does so after the end of ctx too.
func (o *Outbox) settle(ctx context.Context, l letter, refused error) error {
	again := errors.Is(refused, context.Canceled) && ctx.Err() != nil
	err := o.db.Write(context.WithoutCancel(ctx), func(_ context.Context, tx *sql.Tx) error {
		if refused == nil || !again && l.tries >= maxTries {
			_, err := tx.Exec(`DELETE FROM outbox WHERE id = ?`, l.id) //nolint:noctx // of the writer
			return err
		}
		pause := min(maxPause, time.Second<<min(l.tries, 16))
		if again {
			pause = 0
		}
		_, err := tx.Exec(`UPDATE outbox SET due = ?, tries = tries + 1 WHERE id = ?`, Now()+pause.Milliseconds(), l.id) //nolint:noctx // of the writer
		return err
	})
	return ended(ctx, err)
}

// ended drops an error that the end of ctx explains.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
