package stream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

// iteratorLife is how long an iterator may be used, as on AWS.
const iteratorLife = 5 * time.Minute

// iterator is a place in a shard. It is all in the text that clients have.
type iterator struct {
	Stream  string `json:"s"`
	Created int64  `json:"c"` // of the stream: another of the same name is another
	Shard   string `json:"i"`
	After   int64  `json:"a"`
	Made    int64  `json:"m"`
}

func (it iterator) text() string {
	it.Made = time.Now().UnixMilli()
	b, _ := json.Marshal(it) // texts and numbers always encode
	return base64.StdEncoding.EncodeToString(b)
}

func parseIterator(text string) (it iterator, err error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &it)
	}
	if err != nil || it.Stream == "" {
		return it, wire.Fail("InvalidArgumentException", "this is no shard iterator")
	}
	if age := time.Since(time.UnixMilli(it.Made)); age > iteratorLife || age < -iteratorLife {
		return it, wire.Fail("ExpiredIteratorException", "the iterator was made more than %s ago", iteratorLife)
	}
	return it, nil
}

// start is the place that a kind of iterator begins at.
func (s *Store) start(ctx context.Context, in iteratorInput) (iterator, error) {
	name := in.name()
	x, shard, err := s.shard(ctx, name, in.ShardID)
	if err != nil {
		return iterator{}, err
	}
	it := iterator{Stream: name, Created: x.Created.UnixMilli(), Shard: in.ShardID}
	switch in.Kind {
	case "TRIM_HORIZON":
	case "LATEST":
		it.After = x.last
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		number, ok := numberOf(in.Sequence)
		if !ok {
			return it, wire.Fail("InvalidArgumentException", "%q is no sequence number of this shard", in.Sequence)
		}
		if it.After = number; in.Kind == "AT_SEQUENCE_NUMBER" {
			it.After--
		}
	case "AT_TIMESTAMP":
		it.After, err = s.before(ctx, x, shard, time.UnixMilli(int64(in.Timestamp*1000)))
	default:
		return it, wire.Fail("ValidationException", "there is no iterator of the kind %q", in.Kind)
	}
	return it, err
}

// before is the number of the last record of a shard before a time.
func (s *Store) before(ctx context.Context, x Stream, shard int, at time.Time) (number int64, err error) {
	row := s.db.Reader().QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM records WHERE stream = ? AND shard = ? AND at < ?`, x.Name, shard, at.UnixMilli())
	return number, row.Scan(&number)
}

// resume reads on where an iterator is.
func (s *Store) resume(ctx context.Context, it iterator, limit int) (records []Record, next iterator, behind time.Duration, err error) {
	x, shard, err := s.shard(ctx, it.Stream, it.Shard)
	if err != nil {
		return nil, it, 0, err
	}
	if x.Created.UnixMilli() != it.Created {
		return nil, it, 0, aloft.Errorf(aloft.NotFound, "the stream %q of this iterator was deleted", it.Stream)
	}
	if records, err = s.read(ctx, x, shard, it.After, limit); err != nil || len(records) == 0 {
		return nil, it, 0, err
	}
	it.After, _ = numberOf(records[len(records)-1].Sequence)
	rest, err := s.read(ctx, x, shard, it.After, 1)
	if len(rest) > 0 {
		behind = time.Since(rest[0].At)
	}
	return records, it, max(behind, 0), err
}
