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

// Fixed is a source on AWS of which something stays as it was made: AWS changes it in no mapping, has no two mappings of one source
// and function, and CloudFormation makes the new one before it deletes the old one.
type Fixed interface {
	// Fixed is that, as an option of the source: "position=latest".
	Fixed() string
}

// Ender is a source that leaves something behind when it is not run, such as a subscription: what happens meanwhile is kept.
type Ender interface {
	// End gives it up: the function has this source no more, but has those that are left, by their canonical URIs. It is called
	// after Run has ended.
	End(ctx context.Context, mapping *Mapping, left []string) error
}

// Server is a kind that has something to do as long as sources may run here, whether there are any or not.
type Server interface {
	// Serve works until ctx ends, and returns nil then. An error says that it cannot go on; it is called again later.
	Serve(ctx context.Context, functions Functions, invoker aloft.Invoker) error
}

// Functions finds a function by its name as Lambda has it.
type Functions func(name string) (ref aloft.StageRef, function string, found bool)

// None is the error of Run where no resources of a kind are served.
func None(kind string) error { return aloft.Errorf(aloft.Unavailable, "this server has no %ss", kind) }

// Unless drops an error that the end of ctx explains.
func Unless(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
