package stream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/wire"
)

// What a request may carry, as on AWS.
const (
	maxData    = 1 << 20 // bytes of a record
	maxKey     = 256     // characters
	maxEntries = 500
	maxRecords = 10000 // of one GetRecords
	maxPage    = 1000
)

// api is Kinesis' API for the streams that are visible.
type api struct {
	store   *Store
	visible resource.Visible
}

// Handler answers Kinesis' API for the streams that are visible.
func (s *Store) Handler(visible resource.Visible) http.Handler {
	a := api{s, visible}
	return wire.JSON{Version: "1.1", Operations: map[string]wire.Operation{
		"CreateStream": wire.Op(a.create), "DeleteStream": wire.Op(a.remove), "ListStreams": wire.Op(a.list),
		"DescribeStream": wire.Op(a.describe), "DescribeStreamSummary": wire.Op(a.summary), "ListShards": wire.Op(a.shards),
		"PutRecord": wire.Op(a.putOne), "PutRecords": wire.Op(a.putMany),
		"GetShardIterator": wire.Op(a.iterator), "GetRecords": wire.Op(a.records),
		"IncreaseStreamRetentionPeriod": wire.Op(a.keep), "DecreaseStreamRetentionPeriod": wire.Op(a.keep),
	}}
}

// target names the stream of a request in one of two ways.
type target struct {
	StreamName string
	StreamARN  string
}

func (t target) name() string {
	if t.StreamName != "" {
		return t.StreamName
	}
	_, name, _ := strings.Cut(t.StreamARN, ":stream/")
	return name
}

// find returns a stream that is visible.
func (a api) find(ctx context.Context, t target) (Stream, error) {
	name := t.name()
	if !a.visible.Sees(aloft.Stream, name) {
		return Stream{}, translate(missing(name))
	}
	x, err := a.store.Stream(ctx, name)
	return x, translate(err)
}

// translate makes Kinesis' error of one of the store.
func translate(err error) error {
	if full, ok := errors.AsType[*resource.Full](err); ok {
		return wire.Fail("ProvisionedThroughputExceededException", "%s", full)
	}
	codes := map[aloft.Code]string{
		aloft.NotFound: "ResourceNotFoundException", aloft.Conflict: "ResourceInUseException", aloft.Invalid: "InvalidArgumentException",
	}
	if code, ok := codes[aloft.ErrorCode(err)]; ok {
		return wire.Fail(code, "%s", err)
	}
	return err
}

type createInput struct {
	StreamName string
	ShardCount int
}

func (a api) create(ctx context.Context, in createInput) (wire.Nothing, error) {
	if !a.visible.Sees(aloft.Stream, in.StreamName) {
		return wire.Nothing{}, wire.Fail("AccessDeniedException", "a function cannot make streams: declare them in the resources section of aloft.yml")
	}
	if !resource.GoodName(strings.ReplaceAll(in.StreamName, ".", ""), 128) {
		return wire.Nothing{}, wire.Fail("ValidationException", "%q cannot be the name of a stream", in.StreamName)
	}
	if in.ShardCount == 0 {
		in.ShardCount = 1
	}
	return wire.Nothing{}, translate(a.store.Create(ctx, Stream{Name: in.StreamName, Owner: resource.OwnerText(a.visible.Owner), Shards: in.ShardCount}))
}

func (a api) remove(ctx context.Context, in target) (wire.Nothing, error) {
	x, err := a.find(ctx, in)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Delete(ctx, x.Name))
}

type listInput struct {
	ExclusiveStartStreamName, NextToken string
	Limit                               int
}

type listOutput struct {
	StreamNames    []string
	HasMoreStreams bool
}

func (a api) list(ctx context.Context, in listInput) (listOutput, error) {
	all, err := a.store.Streams(ctx, "")
	out := listOutput{StreamNames: []string{}}
	if in.Limit == 0 {
		in.Limit = 100
	}
	for _, x := range all {
		if !a.visible.Sees(aloft.Stream, x.Name) || x.Name <= max(in.ExclusiveStartStreamName, in.NextToken) {
			continue
		}
		if len(out.StreamNames) == in.Limit {
			out.HasMoreStreams = true
			break
		}
		out.StreamNames = append(out.StreamNames, x.Name)
	}
	return out, err
}

type description struct {
	StreamName, StreamARN, StreamStatus, EncryptionType string
	RetentionPeriodHours                                int
	StreamCreationTimestamp                             float64
	EnhancedMonitoring                                  []any
	StreamModeDetails                                   map[string]string
	OpenShardCount                                      int     `json:",omitempty"`
	Shards                                              []shard `json:",omitempty"`
	HasMoreShards                                       bool
}

type shard struct {
	ShardID             string            `json:"ShardId"`
	HashKeyRange        map[string]string `json:"HashKeyRange"`
	SequenceNumberRange map[string]string `json:"SequenceNumberRange"`
}

func describe(x Stream) description {
	return description{
		StreamName: x.Name, StreamARN: resource.ARN(aloft.Stream, x.Name), StreamStatus: "ACTIVE", EncryptionType: "NONE",
		RetentionPeriodHours: x.Hours, StreamCreationTimestamp: float64(x.Created.UnixMilli()) / 1000,
		EnhancedMonitoring: []any{map[string]any{"ShardLevelMetrics": []string{}}}, StreamModeDetails: map[string]string{"StreamMode": "PROVISIONED"},
	}
}

func shardsOf(x Stream) []shard {
	all := make([]shard, 0, x.Shards)
	for _, s := range ShardsOf(x.Shards) {
		all = append(all, shard{
			ShardID:             s.ID,
			HashKeyRange:        map[string]string{"StartingHashKey": s.First.String(), "EndingHashKey": s.Last.String()},
			SequenceNumberRange: map[string]string{"StartingSequenceNumber": sequence(0)},
		})
	}
	return all
}

type described struct{ StreamDescription description }

func (a api) describe(ctx context.Context, in target) (described, error) {
	x, err := a.find(ctx, in)
	d := describe(x)
	d.Shards = shardsOf(x)
	return described{d}, err
}

type summarized struct{ StreamDescriptionSummary description }

func (a api) summary(ctx context.Context, in target) (summarized, error) {
	x, err := a.find(ctx, in)
	d := describe(x)
	d.OpenShardCount = x.Shards
	return summarized{d}, err
}

type shardsInput struct {
	target

	ExclusiveStartShardID string `json:"ExclusiveStartShardId"`
}

type shardsOutput struct{ Shards []shard }

func (a api) shards(ctx context.Context, in shardsInput) (shardsOutput, error) {
	x, err := a.find(ctx, in.target)
	all := slices.DeleteFunc(shardsOf(x), func(s shard) bool { return s.ShardID <= in.ExclusiveStartShardID })
	return shardsOutput{all}, err
}

type keepInput struct {
	target

	RetentionPeriodHours int
}

func (a api) keep(ctx context.Context, in keepInput) (wire.Nothing, error) {
	x, err := a.find(ctx, in.target)
	if err != nil {
		return wire.Nothing{}, err
	}
	return wire.Nothing{}, translate(a.store.Keep(ctx, x.Name, in.RetentionPeriodHours))
}
