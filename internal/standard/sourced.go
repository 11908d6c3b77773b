package standard

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	fromBuckets "github.com/aloft-run/aloft/internal/eventsource/bucket"
	fromQueues "github.com/aloft-run/aloft/internal/eventsource/queue"
	fromStreams "github.com/aloft-run/aloft/internal/eventsource/stream"
	fromTopics "github.com/aloft-run/aloft/internal/eventsource/topic"
	"github.com/aloft-run/aloft/internal/resource/bucket"
	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/stream"
	"github.com/aloft-run/aloft/internal/resource/topic"
)

// Sourced are the resources as event sources see them.
func (r *Resources) Sourced() Sourced {
	return Sourced{Queues: queues{r.Queues}, Topics: topics{r.Topics}, Buckets: buckets{r.Buckets}, Streams: streams{r.Streams}}
}

type queues struct{ store *queue.Store }

// Receive implements fromQueues.Queues.
func (q queues) Receive(ctx context.Context, name string, most int, wait time.Duration) ([]fromQueues.Message, error) {
	received, err := q.store.Receive(ctx, name, queue.Receive{Max: most, Wait: &wait})
	all := make([]fromQueues.Message, 0, len(received))
	for _, m := range received {
		one := fromQueues.Message{
			ID: m.ID, Receipt: m.Receipt, Body: m.Body, AttributesMD5: m.AttributesMD5(), Attributes: map[string]fromQueues.Attribute{},
			System: map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.Receives), "SentTimestamp": millis(m.Sent), "SenderId": senderID,
				"ApproximateFirstReceiveTimestamp": millis(m.First),
			},
		}
		for name, v := range m.System {
			if v.StringValue != nil {
				one.System[name] = *v.StringValue
			}
		}
		if m.Sequence != "" {
			maps.Copy(one.System, map[string]string{"SequenceNumber": m.Sequence, "MessageGroupId": m.Group, "MessageDeduplicationId": m.Dedup})
		}
		for name, v := range m.Attributes {
			a := fromQueues.Attribute{Type: v.DataType, Binary: v.BinaryValue}
			if v.StringValue != nil {
				a.Text = *v.StringValue
			}
			one.Attributes[name] = a
		}
		all = append(all, one)
	}
	return all, err
}

// senderID is who sends messages, as AWS names users.
const senderID = "AIDAALOFT000000000000"

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// Delete implements fromQueues.Queues.
func (q queues) Delete(ctx context.Context, name string, receipts []string) error {
	return q.store.DeleteMessages(ctx, name, receipts...)
}

// Return implements fromQueues.Queues. Of a receipt that is too old the message has been received again already.
func (q queues) Return(ctx context.Context, name string, receipts []string, after time.Duration, unseen bool) error {
	if unseen {
		return q.store.Unreceive(ctx, name, after, receipts...)
	}
	return q.store.Return(ctx, name, after, receipts...)
}

type topics struct{ store *topic.Store }

// Subscribe implements fromTopics.Topics.
func (t topics) Subscribe(ctx context.Context, name, function string, filter fromTopics.Filter) error {
	_, err := t.store.Subscribe(ctx, topic.Subscription{Topic: name, Protocol: topic.ToFunction, Endpoint: function, Attributes: attributes(filter), Sourced: true})
	return err
}

func attributes(filter fromTopics.Filter) topic.Attributes {
	a := topic.Attributes{}
	if filter.Policy != "" {
		a["FilterPolicy"] = filter.Policy
	}
	if filter.Body {
		a["FilterPolicyScope"] = "MessageBody"
	}
	return a
}

// Unsubscribe implements fromTopics.Topics.
func (t topics) Unsubscribe(ctx context.Context, name, function string) error {
	return t.store.UnsubscribeSource(ctx, name, function)
}

// CheckFilter implements fromTopics.Topics.
func (topics) CheckFilter(filter fromTopics.Filter) error {
	_, err := topic.ParseFilter(filter.Policy)
	return err
}

// Deliver implements fromTopics.Topics.
func (t topics) Deliver(ctx context.Context, hand func(ctx context.Context, m fromTopics.Message) error) error {
	return t.store.Deliver(ctx, topic.ToFunction, func(ctx context.Context, d topic.Delivery) error {
		m := fromTopics.Message{
			ID: d.ID, Topic: d.Topic, Subscription: d.Subscription, Function: d.Endpoint, Subject: d.Subject, Body: d.Body, Time: d.Time,
			Attributes: map[string]fromTopics.Attribute{}, Trace: d.Trace, Sourced: d.Sourced,
		}
		for name, v := range d.Attributes {
			m.Attributes[name] = fromTopics.Attribute{Type: v.Type, Text: v.Text, Binary: v.Binary}
		}
		return hand(ctx, m)
	})
}

type buckets struct{ store *bucket.Store }

// Watch implements fromBuckets.Buckets.
func (b buckets) Watch(ctx context.Context, name, watcher string) error {
	return b.store.Watch(ctx, name, watcher)
}

// Unwatch implements fromBuckets.Buckets.
func (b buckets) Unwatch(ctx context.Context, name, watcher string) error {
	return b.store.Unwatch(ctx, name, watcher)
}

// Deliver implements fromBuckets.Buckets.
func (b buckets) Deliver(ctx context.Context, watcher string, hand func(ctx context.Context, c fromBuckets.Change) error) error {
	return b.store.Deliver(ctx, watcher, func(ctx context.Context, e bucket.Event) error {
		return hand(ctx, fromBuckets.Change{
			Key: e.Key, Name: e.Name, Time: e.Time, Size: e.Size, ETag: strings.Trim(e.ETag, `"`), Sequencer: e.Sequencer, Trace: e.Trace,
		})
	})
}

type streams struct{ store *stream.Store }

// begun is a sequence number before all others.
func begun() string { return "49" + strings.Repeat("0", 54) }

// Shards implements fromStreams.Streams.
func (s streams) Shards(ctx context.Context, name string) ([]string, error) {
	x, err := s.store.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, shard := range stream.ShardsOf(x.Shards) {
		ids = append(ids, shard.ID)
	}
	return ids, nil
}

// Read implements fromStreams.Streams.
func (s streams) Read(ctx context.Context, name, shard, after string, most int) ([]fromStreams.Record, error) {
	records, err := s.store.Read(ctx, name, shard, after, most)
	all := make([]fromStreams.Record, len(records))
	for i, r := range records {
		all[i] = fromStreams.Record(r)
	}
	return all, err
}

// Position implements fromStreams.Streams.
func (s streams) Position(ctx context.Context, name, shard, reader string) (string, error) {
	return s.store.Position(ctx, name, shard, reader)
}

// SetPosition implements fromStreams.Streams.
func (s streams) SetPosition(ctx context.Context, name, shard, reader, sequence string) error {
	if sequence == "" {
		sequence = begun()
	}
	return s.store.SetPosition(ctx, name, shard, reader, sequence)
}

// Changed implements fromStreams.Streams.
func (s streams) Changed() <-chan struct{} { return s.store.Changed() }
