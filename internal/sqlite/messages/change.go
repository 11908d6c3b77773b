package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// Change is one of Put, Delete, Return, Extend, Move, Requeue and Remove.
type Change interface{ apply(w *writer) error }

// Apply makes all changes or none of them, in their order, and returns once they are on the disk.
func (s *Store) Apply(ctx context.Context, changes ...Change) error {
	return s.write(ctx, "change queues", func(w *writer) error {
		for _, c := range changes {
			if err := c.apply(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// DedupWindow is for how long a second put with the same Dedup is none, as in SQS.
const DedupWindow = 5 * time.Minute

// Put appends a message to a queue, which needs no making.
type Put struct {
	Queue      string
	ID         string // "" means a random one
	Body       []byte
	Attributes []byte
	Delay      time.Duration // before it can be claimed
	Group      string        // of a group one claim at a time is under way, and in the order of the puts; "" is none
	Dedup      string        // a put with that of an earlier one is none, within DedupWindow; "" is none
}

// Stored is what became of a Put.
type Stored struct {
	ID        string
	Sequence  int64
	Duplicate bool // it was there already, as the message of that ID and Sequence
}

// Put appends messages, all or none. It is Apply for those who want to know what became of them.
func (s *Store) Put(ctx context.Context, puts ...Put) ([]Stored, error) {
	stored := make([]Stored, len(puts))
	err := s.write(ctx, "put messages", func(w *writer) (err error) {
		for i, p := range puts {
			if stored[i], err = p.put(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

func (p Put) apply(w *writer) error {
	_, err := p.put(w)
	return err
}

func (p Put) put(w *writer) (Stored, error) {
	stored := Stored{ID: p.ID}
	if stored.ID == "" {
		stored.ID = newID()
	}
	if p.Dedup != "" {
		if err := w.exec(`DELETE FROM duplicates WHERE until <= ?`, w.now); err != nil {
			return stored, err
		}
		var earlier Stored
		found, err := w.row([]any{&earlier.ID, &earlier.Sequence}, `SELECT id, seq FROM duplicates WHERE queue = ? AND dedup = ?`, p.Queue, p.Dedup)
		if found || err != nil {
			earlier.Duplicate = true
			return earlier, err
		}
	}
	blocked, err := w.hasGroup(p.Queue, p.Group)
	if err != nil {
		return stored, err
	}
	due := w.now + p.Delay.Milliseconds()
	_, err = w.row([]any{&stored.Sequence}, `INSERT INTO messages (queue, id, grp, blocked, due, enqueued, attributes, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`, p.Queue, stored.ID, p.Group, blocked, due, w.now, blob(p.Attributes), blob(p.Body))
	if err == nil && p.Dedup != "" {
		err = w.exec(`INSERT INTO duplicates (queue, dedup, id, seq, until) VALUES (?, ?, ?, ?, ?)`,
			p.Queue, p.Dedup, stored.ID, stored.Sequence, w.now+DedupWindow.Milliseconds())
	}
	w.nudge(p.Queue, due)
	return stored, err
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// hasGroup reports whether a queue has a message of a group.
func (w *writer) hasGroup(queue, group string) (bool, error) {
	if group == "" {
		return false, nil
	}
	var one int
	return w.row([]any{&one}, `SELECT 1 FROM messages WHERE queue = ? AND grp = ? AND grp <> '' LIMIT 1`, queue, group)
}

// unblock lets the first message of a group be claimed, once the one before it is gone.
func (w *writer) unblock(queue, group string) error {
	var due int64
	found, err := w.row([]any{&due}, `UPDATE messages SET blocked = 0 WHERE blocked = 1 AND seq =
		(SELECT seq FROM messages WHERE queue = ? AND grp = ? AND grp <> '' ORDER BY seq LIMIT 1) RETURNING due`, queue, group)
	if found {
		w.nudge(queue, due)
	}
	return err
}

// place is where a message is, and what depends on it.
type place struct {
	queue, group string
	blocked      bool
}

// left is to be called when a message is no longer at its place.
func (w *writer) left(at place) error {
	if at.group == "" || at.blocked {
		return nil
	}
	return w.unblock(at.queue, at.group)
}

// Delete removes the message of a claim. A receipt that is not good any more changes nothing; with Must nothing is made of
// the other changes either, and Apply returns NotFound.
type Delete struct {
	Receipt string
	Must    bool
}

func (d Delete) apply(w *writer) error {
	seq, token, _ := parseReceipt(d.Receipt) // no message has the token of a bad one, -1
	var at place
	found, err := w.row([]any{&at.queue, &at.group, &at.blocked},
		`DELETE FROM messages WHERE seq = ? AND token = ? RETURNING queue, grp, blocked`, seq, token)
	return w.deleted(found, err, at, d.Must)
}

// deleted is the end of a change that has deleted a message, or found none.
func (w *writer) deleted(found bool, err error, at place, must bool) error {
	switch {
	case found:
		return w.left(at)
	case err == nil && must:
		return aloft.Errorf(aloft.NotFound, "the message is gone, or another's by now")
	}
	return err
}

// Return gives the message of a claim back: it can be claimed again after a delay. A receipt that is not good any more
// changes nothing.
type Return struct {
	Receipt    string
	Delay      time.Duration
	Attributes []byte // in place of the message's; nil keeps them
	Unclaimed  bool   // the claim does not count
}

func (r Return) apply(w *writer) error {
	if seq, token, ok := parseReceipt(r.Receipt); ok && r.Attributes != nil {
		if err := w.exec(`UPDATE messages SET attributes = ? WHERE seq = ? AND token = ?`, r.Attributes, seq, token); err != nil {
			return err
		}
	}
	query := `UPDATE messages SET due = ?, token = 0, owner = '' WHERE seq = ? AND token = ? RETURNING queue`
	if r.Unclaimed {
		query = `UPDATE messages SET due = ?, token = 0, owner = '', claims = claims - 1, claimed = iif(claims > 1, claimed, 0)
			WHERE seq = ? AND token = ? RETURNING queue`
	}
	return w.reschedule(r.Receipt, r.Delay, query)
}

// Extend moves the end of a claim to the given time from now; 0 makes the message claimable at once. A receipt that is not
// good any more changes nothing; see Store.Extend.
type Extend struct {
	Receipt    string
	Visibility time.Duration
}

func (e Extend) apply(w *writer) error {
	return w.reschedule(e.Receipt, e.Visibility, extend)
}

const extend = `UPDATE messages SET due = ? WHERE seq = ? AND token = ? RETURNING queue`

func (w *writer) reschedule(receipt string, d time.Duration, query string) error {
	seq, token, ok := parseReceipt(receipt)
	if !ok {
		return nil
	}
	due := w.now + d.Milliseconds()
	var queue string
	found, err := w.row([]any{&queue}, query, due, seq, token)
	if found {
		w.nudge(queue, due)
	}
	return err
}

// Move takes the message of a claim to another queue, where it can be claimed at once and counts as never claimed. A
// receipt that is not good any more changes nothing.
type Move struct {
	Receipt string
	To      string
}

func (m Move) apply(w *writer) error {
	seq, token, ok := parseReceipt(m.Receipt)
	if !ok {
		return nil
	}
	var at place
	found, err := w.row([]any{&at.queue, &at.group, &at.blocked}, `SELECT queue, grp, blocked FROM messages WHERE seq = ? AND token = ?`, seq, token)
	if !found || at.queue == m.To {
		return err
	}
	return w.move(seq, at, m.To)
}

func (w *writer) move(seq int64, at place, to string) error {
	blocked, err := w.hasGroup(to, at.group)
	if err != nil {
		return err
	}
	err = w.exec(`UPDATE messages SET queue = ?, blocked = ?, due = ?, claimed = 0, claims = 0, token = 0, owner = '' WHERE seq = ?`, to, blocked, w.now, seq)
	w.nudge(to, w.now)
	if err != nil {
		return err
	}
	return w.left(at)
}

// Requeue takes a message of which Peek told to another queue with other attributes, as if it were put there now. Of one that
// is gone or claimed nothing is made, nor of the other changes, and Apply returns NotFound.
type Requeue struct {
	Sequence   int64
	To         string
	Attributes []byte
}

func (r Requeue) apply(w *writer) error {
	var at place
	found, err := w.row([]any{&at.queue, &at.group, &at.blocked}, `SELECT queue, grp, blocked FROM messages WHERE seq = ? AND token = 0`, r.Sequence)
	if !found || at.queue == r.To {
		return w.deleted(false, err, at, true)
	}
	if err := w.exec(`UPDATE messages SET attributes = ?, enqueued = ? WHERE seq = ?`, blob(r.Attributes), w.now, r.Sequence); err != nil {
		return err
	}
	return w.move(r.Sequence, at, r.To)
}

// Remove deletes a message, claimed or not, of which Peek told. One that is gone changes nothing.
type Remove struct{ Sequence int64 }

func (r Remove) apply(w *writer) error {
	var at place
	found, err := w.row([]any{&at.queue, &at.group, &at.blocked}, `DELETE FROM messages WHERE seq = ? RETURNING queue, grp, blocked`, r.Sequence)
	return w.deleted(found, err, at, false)
}

func receiptOf(seq, token int64) string { return fmt.Sprintf("%x-%x", seq, token) }

func parseReceipt(text string) (seq, token int64, ok bool) {
	if n, err := fmt.Sscanf(text, "%x-%x", &seq, &token); err != nil || n != 2 || token <= 0 {
		return 0, -1, false
	}
	return seq, token, true
}
