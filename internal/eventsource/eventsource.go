// Package eventsource is the family of what invokes functions besides HTTP: schedules, queues, topics, buckets, streams. It
// holds the contract, the text form of sources, and what all kinds share. A kind reads its sources from text and runs them; who
// runs which, and when, is not decided here (package events does).
package eventsource

import (
	"context"

	"github.com/aloft-run/aloft"
)

// Kind is one kind of event source, such as queues.
type Kind interface {
	// Name is the kind in URIs: "queue".
	Name() string
	// Service is the kind in ARNs: "sqs". "" if no ARN names such a source.
	Service() string
	// Parse reads a source whose URI has this kind. It returns Invalid, with the place in the URI and what is allowed there.
	Parse(uri URI) (Source, error)
}

// Source is one source of events for a function, as its URI says. It is immutable.
type Source interface {
	// String is the canonical URI. Parsed again it is the same source, and of two texts for one source it is the same.
	String() string
	// Name says in one word where events come from, for web functions: the queue's name, "schedule".
	Name() string
	// Run invokes the function for each event until ctx ends, and returns nil then. What it has begun it finishes: no event is
	// left half done when it returns. An error says that it cannot go on; it is run again later.
	Run(ctx context.Context, mapping *Mapping, invoker aloft.Invoker) error
}
