package stream

import (
	"context"
	"database/sql"
	"math/big"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/shelf"
)

// Record is a record of a shard.
type Record struct {
	Sequence string // greater than those of the records before it
	Key      string
	Data     []byte
	At       time.Time // when it came
}

// Entry is a record to be put.
type Entry struct {
	Key  string
	Hash *big.Int // instead of the key's, if not nil
	Data []byte
}

// Place is where a record was put.
type Place struct{ Shard, Sequence string }

// Put appends records, in their order. They are on the disk when it returns. It returns NotFound if there is no stream.
func (s *Store) Put(ctx context.Context, name string, entries []Entry) ([]Place, error) {
	places := make([]Place, len(entries))
	leave, err := s.reserve(ctx, name, entries)
	defer leave()
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		x, err := find(tx.QueryRowContext(ctx, selectStream+` WHERE name = ?`, name), name)
		if err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO records (stream, shard, number, key, data, at) VALUES (?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		at := shelf.Now()
		for i, e := range entries {
			if e.Hash == nil {
				e.Hash = hashOf(e.Key)
			}
			x.last++
			shard := shardFor(e.Hash, x.Shards)
			if _, err := insert.ExecContext(ctx, name, shard, x.last, e.Key, e.Data, at); err != nil {
				return err
			}
			places[i] = Place{shardID(shard), sequence(x.last)}
		}
		_, err = tx.ExecContext(ctx, `UPDATE streams SET last = ? WHERE name = ?`, x.last, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
	return places, nil
}

// reserve makes sure that there is room for records.
func (s *Store) reserve(ctx context.Context, name string, entries []Entry) (leave func(), err error) {
	x, err := s.Stream(ctx, name)
	if err != nil {
		return func() {}, err
	}
	const besides = 50 // bytes of each record, as the schema counts
	size := 0
	for _, e := range entries {
		size += len(e.Data) + len(e.Key) + besides
	}
	return s.quota.Reserve(ctx, x.Owner, int64(size))
}

// Changed is closed when this process puts records into any stream. Another one may too: look from time to time.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake
}

// Read returns records of a shard that come after a sequence number ("" is before all), at most limit and no more than
// 10 MB beyond the first. Records that are too old are not among them.
func (s *Store) Read(ctx context.Context, name, shard, after string, limit int) ([]Record, error) {
	x, i, err := s.shard(ctx, name, shard)
	if err != nil {
		return nil, err
	}
	number := int64(0)
	if after != "" {
		var ok bool
		if number, ok = numberOf(after); !ok {
			return nil, aloft.Errorf(aloft.Invalid, "%q is no sequence number", after)
		}
	}
	return s.read(ctx, x, i, number, limit)
}

func (s *Store) shard(ctx context.Context, name, id string) (Stream, int, error) {
	x, err := s.Stream(ctx, name)
	if err != nil {
		return Stream{}, 0, err
	}
	i, ok := shardIndex(id, x.Shards)
	if !ok {
		return Stream{}, 0, aloft.Errorf(aloft.NotFound, "the stream %q has no shard %q", name, id)
	}
	return x, i, nil
}

const maxRead = 10 << 20 // bytes

func (s *Store) read(ctx context.Context, x Stream, shard int, after int64, limit int) ([]Record, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT number, key, data, at FROM records WHERE stream = ? AND shard = ? AND number > ? AND at >= ? ORDER BY number LIMIT ?`,
		x.Name, shard, after, x.oldest(), limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var records []Record
	size := 0
	for rows.Next() {
		var r Record
		var number, at int64
		if err := rows.Scan(&number, &r.Key, &r.Data, &at); err != nil {
			return nil, err
		}
		if size += len(r.Data) + len(r.Key); size > maxRead && len(records) > 0 {
			return records, nil
		}
		r.Sequence, r.At = sequence(number), time.UnixMilli(at).UTC()
		records = append(records, r)
	}
	return records, rows.Err()
}

// oldest is the time before which records count as gone.
func (x Stream) oldest() int64 {
	return time.Now().Add(-time.Duration(x.Hours) * time.Hour).UnixMilli()
}

// Position is the sequence number that a reader noted last for a shard, "" if it noted none.
func (s *Store) Position(ctx context.Context, name, shard, reader string) (string, error) {
	_, i, err := s.shard(ctx, name, shard)
	if err != nil {
		return "", err
	}
	var number sql.NullInt64
	row := s.db.Reader().QueryRowContext(ctx, `SELECT MAX(number) FROM positions WHERE stream = ? AND shard = ? AND reader = ?`, name, i, reader)
	if err := row.Scan(&number); err != nil || !number.Valid {
		return "", err
	}
	return sequence(number.Int64), nil
}

// SetPosition notes that a reader is done with a shard's records up to a sequence number; "" notes that it has begun, as a
// number before all others.
func (s *Store) SetPosition(ctx context.Context, name, shard, reader, sequence string) error {
	_, i, err := s.shard(ctx, name, shard)
	if err != nil {
		return err
	}
	number, ok := numberOf(sequence)
	if !ok && sequence != "" {
		return aloft.Errorf(aloft.Invalid, "%q is no sequence number", sequence)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO positions (stream, shard, reader, number) VALUES (?, ?, ?, ?)`, name, i, reader, number)
		return err
	})
}
