package messages

import (
	"context"
	"time"
)

// step is how many messages one transaction deletes: others wait for the whole of it.
const step = 1000

// Counts are how many messages a queue has.
type Counts struct {
	Ready   int // can be claimed, or wait for one of their group
	Delayed int // not yet
	Claimed int
}

// Count counts the messages of a queue.
func (s *Store) Count(ctx context.Context, queue string) (Counts, error) {
	all, err := s.Queues(ctx, queue, queue+"\x00")
	return all[queue], err
}

// Queues counts the messages of all queues that have some and whose names are from one on and before another.
func (s *Store) Queues(ctx context.Context, from, before string) (map[string]Counts, error) {
	now := time.Now().UnixMilli()
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT queue, sum(due <= ?), sum(due > ? AND token = 0), sum(due > ? AND token <> 0)
		FROM messages WHERE queue >= ? AND queue < ? GROUP BY queue`, now, now, now, from, before)
	if err != nil {
		return nil, s.db.Fail(ctx, "count messages", err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]Counts{}
	for rows.Next() {
		var queue string
		var c Counts
		if err := rows.Scan(&queue, &c.Ready, &c.Delayed, &c.Claimed); err != nil {
			return nil, s.db.Fail(ctx, "count messages", err)
		}
		all[queue] = c
	}
	return all, s.db.Fail(ctx, "count messages", rows.Err())
}

// Overhead is how many bytes a message counts besides its body and attributes.
const Overhead = 200

// Size is how many bytes the messages of queues have; 0 as long as nobody has counted them: see CountSizes.
func (s *Store) Size(ctx context.Context, queues ...string) (size int64, err error) {
	for _, queue := range queues {
		n, err := s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes WHERE queue = ?`, queue)
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, nil
}

// SizeBelow is how many bytes the messages of all queues have whose names begin with a prefix.
func (s *Store) SizeBelow(ctx context.Context, prefix string) (int64, error) {
	from, before := Below(prefix)
	return s.db.Size(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM sizes WHERE queue >= ? AND queue < ?`, from, before)
}

// Below are the bounds of Queues for the names that begin with a prefix.
func Below(prefix string) (from, before string) {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return prefix, "\xff"
	}
	end[len(end)-1]++
	return prefix, string(end)
}

// Peek lists messages of a queue after a sequence, oldest first, at most limit, without claiming them.
func (s *Store) Peek(ctx context.Context, queue string, after int64, limit int) ([]Message, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+columns+` FROM messages WHERE queue = ? AND seq > ? ORDER BY seq LIMIT ?`, queue, after, limit)
	all, err := collect(rows, err)
	return all, s.db.Fail(ctx, "list messages", err)
}

// List is Peek without the bodies, which may be long.
func (s *Store) List(ctx context.Context, queue string, after int64, limit int) ([]Message, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT seq, id, queue, x'', attributes, grp, enqueued, due, claimed, claims, token
		FROM messages WHERE queue = ? AND seq > ? ORDER BY seq LIMIT ?`, queue, after, limit)
	all, err := collect(rows, err)
	return all, s.db.Fail(ctx, "list messages", err)
}

// Extend is the change of that name for those who want to know whether the receipt was good.
func (s *Store) Extend(ctx context.Context, e Extend) (good bool, err error) {
	seq, token, _ := parseReceipt(e.Receipt)
	err = s.write(ctx, "extend a claim", func(w *writer) error {
		var one int
		if good, err = w.row([]any{&one}, `SELECT 1 FROM messages WHERE seq = ? AND token = ?`, seq, token); !good {
			return err
		}
		return e.apply(w)
	})
	return good && err == nil, err
}

// Purge deletes the messages of a queue that were put until now, claimed or not, in steps, and says how many there were.
func (s *Store) Purge(ctx context.Context, queue string) (int, error) {
	if err := s.write(ctx, "empty a queue", func(w *writer) error {
		return w.exec(`DELETE FROM duplicates WHERE queue = ?`, queue)
	}); err != nil {
		return 0, err
	}
	n, err := s.deleteUntil(ctx, queue, time.Now().UnixMilli())
	if err == nil && s.db.Counted() {
		err = s.write(ctx, "empty a queue", func(w *writer) error {
			return w.exec(`DELETE FROM sizes WHERE queue = ? AND bytes = 0`, queue)
		})
	}
	return n, err
}

// Expire deletes the messages of a queue that were put before a time, claimed or not, and says how many there were.
func (s *Store) Expire(ctx context.Context, queue string, before time.Time) (int, error) {
	return s.deleteUntil(ctx, queue, before.UnixMilli()-1)
}

// Trim deletes the oldest messages of a queue, claimed or not, so that the others have at most so many bytes, and says how many
// it deletes. The queue has no groups.
func (s *Store) Trim(ctx context.Context, queue string, bytes int64) (int, error) {
	var last int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM
		(SELECT seq, SUM(LENGTH(body) + LENGTH(attributes)) OVER (ORDER BY seq DESC) AS size FROM messages WHERE queue = ?) WHERE size > ?`, queue, bytes).Scan(&last)
	if err != nil {
		return 0, s.db.Fail(ctx, "count messages", err)
	}
	total, n := 0, step
	for err == nil && last > 0 && n == step {
		err = s.write(ctx, "delete messages", func(w *writer) (err error) {
			n, err = w.count(`DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE queue = ? AND seq <= ? LIMIT ?)`, queue, last, step)
			return err
		})
		total += n
	}
	return total, err
}

func (s *Store) deleteUntil(ctx context.Context, queue string, until int64) (int, error) {
	total := 0
	for {
		n := 0
		err := s.write(ctx, "delete messages", func(w *writer) (err error) {
			n, err = w.count(`DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE queue = ? AND enqueued <= ? LIMIT ?)`, queue, until, step)
			if err != nil || n == 0 {
				return err
			}
			w.nudge(queue, w.now) // the groups that go on
			return w.exec(`UPDATE messages SET blocked = 0 WHERE queue = ? AND blocked = 1 AND seq =
				(SELECT min(seq) FROM messages m WHERE m.queue = messages.queue AND m.grp = messages.grp AND m.grp <> '')`, queue)
		})
		total += n
		if err != nil || n < step {
			return total, err
		}
	}
}

// Release gives back what bound claims of other Stores hold of the queues whose names begin with a prefix: of those that
// were killed, or have ended. Afterwards everybody who waits looks again.
func (s *Store) Release(ctx context.Context, prefix string) (int, error) {
	n := 0
	from, before := Below(prefix)
	err := s.write(ctx, "give claims back", func(w *writer) (err error) {
		n, err = w.count(`UPDATE messages SET due = ?, token = 0, owner = '' WHERE owner <> '' AND owner <> ? AND queue >= ? AND queue < ?`,
			w.now, s.owner, from, before)
		return err
	})
	s.bells.ringAll()
	return n, err
}
