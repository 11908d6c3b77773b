// Package stream is the event source of records in streams: stream:clicks?batch=100. The records of a shard reach the function in
// their order, in batches; a batch that the function fails at holds up its shard until it succeeds or is given up. How
// far a function has come is kept by the stream. Events are those that Lambda makes of Kinesis.
package stream

import (
	"context"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Streams are the streams of this server, by physical names.
type Streams interface {
	// Shards returns the ids of a stream's shards. It returns NotFound if there is no such stream.
	Shards(ctx context.Context, stream string) ([]string, error)
	// Read returns records of a shard after a sequence number ("" is before all), at most so many.
	Read(ctx context.Context, stream, shard, after string, most int) ([]Record, error)
	// Position is the sequence number that a reader noted last for a shard, "" if it noted none.
	Position(ctx context.Context, stream, shard, reader string) (string, error)
	// SetPosition notes that a reader is done with a shard's records up to a sequence number; "" notes that it has begun, and is
	// a number before all others from then on.
	SetPosition(ctx context.Context, stream, shard, reader, sequence string) error
	// Changed is closed when records come. It may miss some: look from time to time.
	Changed() <-chan struct{}
}

// Record is a record of a shard.
type Record struct {
	Sequence string // of two the later has the greater, as text
	Key      string
	Data     []byte
	At       time.Time // when it came
}

// The bounds of AWS.
const (
	defaultBatch = 100
	mostInBatch  = 10_000
	mostWindow   = 5 * time.Minute
	mostRetries  = 10_000
	mostAge      = 7 * 24 * time.Hour
)

const (
	lookTime   = time.Second // between looks for records that nobody told of
	firstPause = time.Second // after which a batch is tried again
	lastPause  = time.Minute
)

// Kind is the kind of all streams.
type Kind struct{ Streams Streams }

var _ eventsource.Kind = Kind{}

// Name implements eventsource.Kind.
func (Kind) Name() string { return "stream" }

// Service implements eventsource.Kind.
func (Kind) Service() string { return "kinesis" }

// Parse implements eventsource.Kind.
func (k Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	const longest = 128
	if err := u.CheckResource(longest, "_."); err != nil {
		return nil, err
	}
	options := u.Read()
	s := &source{streams: k.Streams, Batches: ReadBatches(options), filter: options.Filter("data", false)}
	start := options.Text("position", latest, checkPosition)
	var err error
	if s.uri, err = options.Done(); err != nil {
		return nil, err
	}
	switch start {
	case latest:
	case horizon:
		s.oldest = true
	default:
		s.since, err = time.Parse(time.RFC3339, start)
	}
	return s, err
}

// Where a function begins that has read nothing of a stream yet, besides a time.
const (
	latest  = "latest"
	horizon = "trim-horizon"
)

func checkPosition(text string) string {
	if _, err := time.Parse(time.RFC3339, text); err != nil && text != latest && text != horizon {
		return "latest, trim-horizon, or a time such as 2026-01-31T12:00:00Z"
	}
	return ""
}

// Batches is how records of a shard reach a function.
type Batches struct {
	batch    int
	window   time.Duration
	retries  int           // of a batch, before it is given up; -1 is any number
	age      time.Duration // of records, after which they are given up; 0 is none
	bisect   bool          // a batch that fails is tried again in halves
	parallel int           // batches of a shard at once, on AWS: records of a key stay in order
}

// ReadBatches reads the options of a source that has shards.
func ReadBatches(options *eventsource.Options) Batches {
	const mostParallel = 10
	return Batches{
		batch: options.Int("batch", defaultBatch, 1, mostInBatch), window: options.Duration("window", 0, 0, mostWindow),
		retries: options.Int("retries", -1, -1, mostRetries), age: options.Duration("maximum-age", 0, 0, mostAge), bisect: options.Bool("bisect"),
		parallel: options.Int("parallelization", 1, 1, mostParallel),
	}
}

// source is one stream of one function.
type source struct {
	Batches

	uri     eventsource.URI
	streams Streams
	oldest  bool // it begins with the oldest record
	filter  eventsource.Filter
	since   time.Time // it begins with records from this time; zero means when it is started
}

// String implements eventsource.Source.
func (s *source) String() string { return s.uri.String() }

// Name implements eventsource.Source.
func (s *source) Name() string { return s.uri.Label() }

// Run implements eventsource.Source.
func (s *source) Run(ctx context.Context, m *eventsource.Mapping, invoker aloft.Invoker) error {
	if s.streams == nil {
		return eventsource.None("stream")
	}
	stream := m.Resource(s.uri)
	shards, err := s.streams.Shards(ctx, stream)
	if err != nil {
		return eventsource.Unless(ctx, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make(chan error, len(shards))
	var all sync.WaitGroup
	for _, shard := range shards {
		r := &reader{source: s, mapping: m, invoker: invoker, stream: stream, shard: shard}
		all.Go(func() {
			if err := eventsource.Unless(ctx, r.run(ctx)); err != nil {
				failures <- err
				cancel() // the shards begin again together
			}
		})
	}
	all.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}
