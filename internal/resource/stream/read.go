package stream

import (
	"context"

	"github.com/aloft-run/aloft/internal/resource/wire"
)

type iteratorInput struct {
	target

	ShardID   string  `json:"ShardId"`
	Kind      string  `json:"ShardIteratorType"`
	Sequence  string  `json:"StartingSequenceNumber"`
	Timestamp float64 // seconds of the Unix epoch
}

type iteratorOutput struct{ ShardIterator string }

func (a api) iterator(ctx context.Context, in iteratorInput) (iteratorOutput, error) {
	if _, err := a.find(ctx, in.target); err != nil {
		return iteratorOutput{}, err
	}
	it, err := a.store.start(ctx, in)
	return iteratorOutput{it.text()}, translate(err)
}

type recordsInput struct {
	ShardIterator string
	Limit         int
}

type record struct {
	Data                        []byte
	PartitionKey                string
	SequenceNumber              string
	ApproximateArrivalTimestamp float64
}

type recordsOutput struct {
	Records            []record
	NextShardIterator  string
	MillisBehindLatest int64
}

func (a api) records(ctx context.Context, in recordsInput) (recordsOutput, error) {
	out := recordsOutput{Records: []record{}}
	it, err := parseIterator(in.ShardIterator)
	if err != nil {
		return out, err
	}
	if _, err := a.find(ctx, target{StreamName: it.Stream}); err != nil {
		return out, err
	}
	if in.Limit < 0 || in.Limit > maxRecords {
		return out, wire.Fail("InvalidArgumentException", "GetRecords returns 1 to %d records", maxRecords)
	}
	if in.Limit == 0 {
		in.Limit = maxRecords
	}
	records, next, behind, err := a.store.resume(ctx, it, in.Limit)
	for _, r := range records {
		out.Records = append(out.Records, record{
			Data: r.Data, PartitionKey: r.Key, SequenceNumber: r.Sequence, ApproximateArrivalTimestamp: float64(r.At.UnixMilli()) / 1000,
		})
	}
	out.NextShardIterator, out.MillisBehindLatest = next.text(), behind.Milliseconds()
	return out, translate(err)
}
