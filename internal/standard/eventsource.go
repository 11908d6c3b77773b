package standard

import (
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/bucket"
	"github.com/aloft-run/aloft/internal/eventsource/queue"
	"github.com/aloft-run/aloft/internal/eventsource/schedule"
	"github.com/aloft-run/aloft/internal/eventsource/stream"
	"github.com/aloft-run/aloft/internal/eventsource/table"
	"github.com/aloft-run/aloft/internal/eventsource/topic"
)

// Sourced are the resources of a server that events come from. Of a kind that is nil sources can be read, not run.
type Sourced struct {
	Queues  queue.Queues
	Topics  topic.Topics
	Buckets bucket.Buckets
	Streams stream.Streams
}

// EventSources returns the kinds of event sources over the resources of a server.
func EventSources(s Sourced) eventsource.Set {
	return eventsource.Set{
		schedule.Kind{}, queue.Kind{Queues: s.Queues}, topic.New(s.Topics), bucket.Kind{Buckets: s.Buckets}, stream.Kind{Streams: s.Streams}, table.Kind{},
	}
}
