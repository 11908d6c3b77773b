package stream_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/resourcetest"
	"github.com/aloft-run/aloft/internal/resource/stream"
)

func open(t *testing.T, dir string) *stream.Store {
	t.Helper()
	s, err := stream.Open(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	resourcetest.Run(t, resourcetest.Kind{Good: map[string]string{"shards": "2", "retention": "48h"}, Open: func(t *testing.T, dir string) (resource.Type, func()) {
		t.Helper()
		s := open(t, dir)
		return s, func() { _ = s.Close() }
	}})
}

func serve(t *testing.T, visible resource.Visible) (*kinesis.Client, *stream.Store) {
	t.Helper()
	store := open(t, t.TempDir())
	t.Cleanup(func() { _ = store.Close() })
	server := httptest.NewServer(store.Handler(visible))
	t.Cleanup(server.Close)
	return kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), store
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestRecords: every record comes back once, in the order of its key, from whatever place a reader begins.
func TestRecords(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	name := aws.String("clicks")
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(3)}); err != nil {
		t.Fatal(err)
	}
	if err := kinesis.NewStreamExistsWaiter(c).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: name}, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	for batch := range 10 {
		var records []types.PutRecordsRequestEntry
		for i := range 20 {
			records = append(records, types.PutRecordsRequestEntry{Data: []byte(strconv.Itoa(batch*20 + i)), PartitionKey: aws.String(strconv.Itoa(i % 7))})
		}
		out, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: name, Records: records})
		if err != nil || *out.FailedRecordCount != 0 {
			t.Fatal(out, err)
		}
	}
	shards, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: name})
	if err != nil || len(shards.Shards) != 3 {
		t.Fatal(shards, err)
	}
	last := map[string]int{}
	total := 0
	for _, s := range shards.Shards {
		for _, r := range readAll(t, c, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: s.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}) {
			n, _ := strconv.Atoi(string(r.Data))
			if prev, seen := last[*r.PartitionKey]; seen && prev >= n {
				t.Errorf("key %s: %d came after %d", *r.PartitionKey, n, prev)
			}
			last[*r.PartitionKey] = n
			total++
		}
	}
	if total != 200 {
		t.Errorf("%d records came back, not 200", total)
	}
}

func readAll(t *testing.T, c *kinesis.Client, from *kinesis.GetShardIteratorInput) []types.Record {
	t.Helper()
	it, err := c.GetShardIterator(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	var all []types.Record
	next := it.ShardIterator
	for {
		out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(13)})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Records) == 0 {
			return all
		}
		all, next = append(all, out.Records...), out.NextShardIterator
	}
}

func TestIterators(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	name, shard := aws.String("clicks"), aws.String("shardId-000000000000")
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: name}); err != nil {
		t.Fatal(err)
	}
	var sequences []string
	for i := range 5 {
		out, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: name, Data: []byte(strconv.Itoa(i)), PartitionKey: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, *out.SequenceNumber)
	}
	if !slices.IsSorted(sequences) {
		t.Errorf("sequence numbers do not grow: %v", sequences)
	}
	read := func(kind types.ShardIteratorType, sequence *string, at *time.Time) string {
		text := ""
		for _, r := range readAll(t, c, &kinesis.GetShardIteratorInput{
			StreamName: name, ShardId: shard, ShardIteratorType: kind, StartingSequenceNumber: sequence, Timestamp: at,
		}) {
			text += string(r.Data)
		}
		return text
	}
	for _, check := range []struct{ got, want string }{
		{read(types.ShardIteratorTypeTrimHorizon, nil, nil), "01234"},
		{read(types.ShardIteratorTypeLatest, nil, nil), ""},
		{read(types.ShardIteratorTypeAtSequenceNumber, &sequences[2], nil), "234"},
		{read(types.ShardIteratorTypeAfterSequenceNumber, &sequences[2], nil), "34"},
		{read(types.ShardIteratorTypeAtTimestamp, nil, aws.Time(time.Now().Add(-time.Hour))), "01234"},
		{read(types.ShardIteratorTypeAtTimestamp, nil, aws.Time(time.Now().Add(time.Hour))), ""},
	} {
		if check.got != check.want {
			t.Errorf("read %q, want %q", check.got, check.want)
		}
	}
	_, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("bm8=")})
	if code(err) != "InvalidArgumentException" {
		t.Errorf("a bad iterator: %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{Only: map[resource.Named]bool{{Kind: aloft.Stream, Name: "clicks"}: true}})
	for _, name := range []string{"clicks", "secrets"} {
		if err := store.Create(t.Context(), stream.Stream{Name: name, Shards: 1}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String("secrets"), Data: []byte("x"), PartitionKey: aws.String("k")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("a stream that is not visible: %v", err)
	}
	_, err = c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("clicks")})
	if code(err) != "ResourceInUseException" {
		t.Errorf("a stream that is there: %v", err)
	}
	list, err := c.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	if err != nil || !slices.Equal(list.StreamNames, []string{"clicks"}) {
		t.Errorf("listed %v, %v", list.StreamNames, err)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	_, store := serve(t, resource.Visible{})
	if err := store.Create(t.Context(), stream.Stream{Name: "clicks", Shards: 1}); err != nil {
		t.Fatal(err)
	}
	places, err := store.Put(t.Context(), "clicks", []stream.Entry{{Key: "a", Data: []byte("1")}, {Key: "a", Data: []byte("2")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SetPosition(t.Context(), "clicks", places[0].Shard, "reader", places[0].Sequence); err != nil {
		t.Fatal(err)
	}
	after, err := store.Position(t.Context(), "clicks", places[0].Shard, "reader")
	if err != nil {
		t.Fatal(err)
	}
	rest, err := store.Read(t.Context(), "clicks", places[0].Shard, after, 10)
	if err != nil || len(rest) != 1 || string(rest[0].Data) != "2" {
		t.Errorf("after %s: %v, %v", after, rest, err)
	}
}
