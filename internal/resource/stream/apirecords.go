package stream

import (
	"context"
	"math/big"

	"github.com/aloft-run/aloft/internal/resource/wire"
)

type entry struct {
	Data            []byte
	PartitionKey    string
	ExplicitHashKey string
}

func (e entry) check() (Entry, error) {
	out := Entry{Key: e.PartitionKey, Data: e.Data}
	if n := len([]rune(e.PartitionKey)); n < 1 || n > maxKey {
		return out, wire.Fail("ValidationException", "a partition key has 1 to %d characters", maxKey)
	}
	if len(e.Data)+len(e.PartitionKey) > maxData {
		return out, wire.Fail("ValidationException", "a record has at most %d bytes, its key included", maxData)
	}
	if out.Data == nil {
		out.Data = []byte{}
	}
	if e.ExplicitHashKey != "" {
		hash, ok := new(big.Int).SetString(e.ExplicitHashKey, 10)
		if !ok || hash.Sign() < 0 || hash.Cmp(hashes()) >= 0 {
			return out, wire.Fail("InvalidArgumentException", "%q is no hash key", e.ExplicitHashKey)
		}
		out.Hash = hash
	}
	return out, nil
}

type putInput struct {
	target
	entry
}

type putOutput struct {
	ShardID        string `json:"ShardId"`
	SequenceNumber string
	EncryptionType string `json:",omitempty"`
}

func (a api) putOne(ctx context.Context, in putInput) (putOutput, error) {
	out, err := a.put(ctx, in.target, []entry{in.entry})
	if err != nil {
		return putOutput{}, err
	}
	return out[0], nil
}

func (a api) put(ctx context.Context, to target, entries []entry) ([]putOutput, error) {
	x, err := a.find(ctx, to)
	if err != nil {
		return nil, err
	}
	checked := make([]Entry, 0, len(entries))
	for _, e := range entries {
		c, err := e.check()
		if err != nil {
			return nil, err
		}
		checked = append(checked, c)
	}
	places, err := a.store.Put(ctx, x.Name, checked)
	out := make([]putOutput, 0, len(places))
	for _, p := range places {
		out = append(out, putOutput{ShardID: p.Shard, SequenceNumber: p.Sequence})
	}
	return out, translate(err)
}

type putManyInput struct {
	target

	Records []entry
}

type putManyOutput struct {
	FailedRecordCount int
	Records           []putOutput
}

func (a api) putMany(ctx context.Context, in putManyInput) (putManyOutput, error) {
	if len(in.Records) < 1 || len(in.Records) > maxEntries {
		return putManyOutput{}, wire.Fail("ValidationException", "PutRecords takes 1 to %d records", maxEntries)
	}
	records, err := a.put(ctx, in.target, in.Records)
	return putManyOutput{Records: records}, err
}
