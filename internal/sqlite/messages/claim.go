package messages

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// Claim asks for messages of a queue.
type Claim struct {
	Queue      string
	Max        int           // messages; 0 means 1
	Visibility time.Duration // for which nobody else gets them
	Bound      bool          // it ends with this Store: see Release
}

// Claim takes messages that are due, the one that was due first first; none if there is none. Of a group there are several
// if they follow each other, and none while one of it is claimed.
func (s *Store) Claim(ctx context.Context, c Claim) ([]Message, error) {
	var got []Message
	err := s.write(ctx, "claim messages", func(w *writer) (err error) {
		got, err = w.claim(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// Receive is Claim that waits until there is a message.
func (s *Store) Receive(ctx context.Context, c Claim) ([]Message, error) {
	for {
		b := s.bells.get(c.Queue)
		due, err := s.nextDue(ctx, c.Queue)
		if err != nil {
			return nil, err
		}
		if due <= time.Now().UnixMilli() {
			if got, err := s.Claim(ctx, c); len(got) > 0 || err != nil {
				return got, err
			}
			continue // somebody else was faster
		}
		if err := s.await(ctx, b, due); err != nil {
			return nil, err
		}
	}
}

// nextDue is when the next message of a queue can be claimed: never if there is none.
func (s *Store) nextDue(ctx context.Context, queue string) (int64, error) {
	var due sql.NullInt64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT min(due) FROM messages WHERE queue = ? AND blocked = 0`, queue).Scan(&due)
	if err != nil {
		return 0, s.db.Fail(ctx, "look for messages", err)
	}
	if !due.Valid {
		return never, nil
	}
	return due.Int64, nil
}

const columns = `seq, id, queue, body, attributes, grp, enqueued, due, claimed, claims, token`

func scan(rows *sql.Rows) (m Message, err error) {
	var enqueued, due, claimed, token int64
	err = rows.Scan(&m.Sequence, &m.ID, &m.Queue, &m.Body, &m.Attributes, &m.Group, &enqueued, &due, &claimed, &m.Claims, &token)
	m.Enqueued, m.Due = time.UnixMilli(enqueued), time.UnixMilli(due)
	if claimed != 0 {
		m.Claimed = time.UnixMilli(claimed)
	}
	return m, err
}

// all reads the messages that a query finds.
func (w *writer) all(query string, args ...any) ([]Message, error) {
	s, err := w.prepare(query) //nolint:sqlclosecheck // run closes it
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	return collect(rows, err)
}

func collect(rows *sql.Rows, err error) ([]Message, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []Message
	for rows.Next() {
		m, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

func (w *writer) claim(c Claim) ([]Message, error) {
	limit := max(1, c.Max)
	heads, err := w.all(`SELECT `+columns+` FROM messages WHERE queue = ? AND blocked = 0 AND due <= ? ORDER BY due LIMIT ?`, c.Queue, w.now, limit)
	if err != nil {
		return nil, err
	}
	var got []Message
	for i, m := range heads {
		if len(got) >= limit {
			break
		}
		got = append(got, m)
		if free := limit - len(got) - (len(heads) - i - 1); m.Group != "" && free > 0 {
			more, err := w.followers(m, free)
			if err != nil {
				return nil, err
			}
			got = append(got, more...)
		}
	}
	owner := ""
	if c.Bound {
		owner = w.store.owner
	}
	due := w.now + c.Visibility.Milliseconds()
	for i := range got {
		if err := w.take(&got[i], due, owner); err != nil {
			return nil, err
		}
	}
	if len(got) > 0 {
		w.nudge(c.Queue, due)
	}
	return got, nil
}

// followers are the messages of a group after its first one, as far as none of them is claimed or delayed.
func (w *writer) followers(head Message, limit int) ([]Message, error) {
	all, err := w.all(`SELECT `+columns+` FROM messages WHERE queue = ? AND grp = ? AND grp <> '' AND seq > ? ORDER BY seq LIMIT ?`,
		head.Queue, head.Group, head.Sequence, limit)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if m.Due.UnixMilli() > w.now {
			return all[:i], nil
		}
	}
	return all, nil
}

// take makes a message the claimer's.
func (w *writer) take(m *Message, due int64, owner string) error {
	token := rand.Int64N(1<<62) + 1 //nolint:gosec // it tells claims apart, it is no secret
	m.Claims++
	if m.Claimed.IsZero() {
		m.Claimed = time.UnixMilli(w.now)
	}
	m.Receipt, m.Due = receiptOf(m.Sequence, token), time.UnixMilli(due)
	n, err := w.count(`UPDATE messages SET due = ?, claimed = ?, claims = ?, token = ?, owner = ? WHERE seq = ?`,
		due, m.Claimed.UnixMilli(), m.Claims, token, owner, m.Sequence)
	if err == nil && n != 1 {
		err = fmt.Errorf("message %d is there and is not", m.Sequence)
	}
	return err
}
