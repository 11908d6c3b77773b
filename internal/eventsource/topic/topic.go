// Package topic is the event source of messages that are published to topics: topic:orders?filter={"kind":["new"]}. A source is a
// subscription of the function; each message is one event, handed over at least once. Events are those of SNS.
package topic

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Topics are the topics of this server, by physical names.
type Topics interface {
	// Subscribe makes a function, by its ARN, get what is published from now on and passes the filter, or gives the subscription
	// that it has this filter. It returns NotFound if there is no such topic, Invalid for a bad filter.
	Subscribe(ctx context.Context, topic, function string, filter Filter) error
	// Unsubscribe ends that, and forgets what is kept. What SNS' API subscribed stays.
	Unsubscribe(ctx context.Context, topic, function string) error
	// CheckFilter returns what is wrong with a filter.
	CheckFilter(filter Filter) error
	// Deliver hands out what is published for functions, at least once each, until ctx ends; it returns nil then. What hand
	// refuses comes again later.
	Deliver(ctx context.Context, hand func(ctx context.Context, message Message) error) error
}

// Filter says which messages a function gets.
type Filter struct {
	Policy string // JSON; "" is all
	Body   bool   // it looks at the message, not at its attributes
}

// Message is a message for one function.
type Message struct {
	ID           string
	Topic        string
	Subscription string // ARN
	Function     string // ARN
	Subject      string
	Body         string
	Time         time.Time
	Attributes   map[string]Attribute
	Trace        string // of who published it
	Sourced      bool   // it is for a source, not for who subscribed through SNS' API
}

// Attribute is an attribute of a message.
type Attribute struct {
	Type   string // String, Number, Binary, String.Array
	Text   string
	Binary []byte // of Binary
}

// Kind is the kind of all topics. Make it with New.
type Kind struct {
	topics Topics

	mu      sync.Mutex
	running map[string]*eventsource.Mapping // by function and topic
}

// New returns the kind over the topics of a server.
func New(topics Topics) *Kind {
	return &Kind{topics: topics, running: map[string]*eventsource.Mapping{}}
}

var (
	_ eventsource.Kind   = (*Kind)(nil)
	_ eventsource.Server = (*Kind)(nil)
)

// Name implements eventsource.Kind.
func (*Kind) Name() string { return "topic" }

// Service implements eventsource.Kind.
func (*Kind) Service() string { return "sns" }

// Parse implements eventsource.Kind.
func (k *Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	const longest = 256
	plain := u
	plain.Name = strings.TrimSuffix(u.Name, ".fifo")
	if err := plain.CheckResource(longest, "_."); err != nil {
		return nil, err
	}
	options := u.Read()
	s := &source{kind: k, filter: Filter{Policy: options.Policy("filter")}}
	s.filter.Body = options.OneOf("scope", "attributes", "body") == "body"
	var err error
	if s.uri, err = options.Done(); err != nil {
		return nil, err
	}
	if s.filter.Policy != "" && k.topics != nil {
		if err := k.topics.CheckFilter(s.filter); err != nil {
			return nil, u.Fault("filter: %v", err).WithHint(`such as filter={"kind":["new"]}`)
		}
	}
	return s, nil
}

// source is one topic of one function.
type source struct {
	uri    eventsource.URI
	kind   *Kind
	filter Filter
}

var _ eventsource.Ender = (*source)(nil)

// String implements eventsource.Source.
func (s *source) String() string { return s.uri.String() }

// Name implements eventsource.Source.
func (s *source) Name() string { return s.uri.Label() }

// arnOf is a function's name in AWS's API.
func arnOf(name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", eventsource.Region, eventsource.Account, name)
}

func key(topic, function string) string { return topic + " " + function }

// Run implements eventsource.Source: messages come while Serve runs.
func (s *source) Run(ctx context.Context, m *eventsource.Mapping, _ aloft.Invoker) error {
	if s.kind.topics == nil {
		return eventsource.None("topic")
	}
	topic, function := m.Resource(s.uri), arnOf(m.Stage.FunctionName(m.Function))
	name := key(topic, function)
	s.kind.mu.Lock()
	s.kind.running[name] = m
	s.kind.mu.Unlock()
	defer func() {
		s.kind.mu.Lock()
		defer s.kind.mu.Unlock()
		if s.kind.running[name] == m {
			delete(s.kind.running, name)
		}
	}()
	if err := s.kind.topics.Subscribe(ctx, topic, function, s.filter); err != nil && ctx.Err() == nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// End implements eventsource.Ender. There is one subscription of a function to a topic: another source may need it.
func (s *source) End(ctx context.Context, m *eventsource.Mapping, left []string) error {
	if slices.ContainsFunc(left, func(text string) bool { return eventsource.Bare(text) == s.uri.Bare() }) {
		return nil
	}
	return s.kind.topics.Unsubscribe(ctx, m.Resource(s.uri), arnOf(m.Stage.FunctionName(m.Function)))
}

// Serve implements eventsource.Server: it hands messages to the functions that are subscribed, by a source or through SNS' API.
func (k *Kind) Serve(ctx context.Context, functions eventsource.Functions, invoker aloft.Invoker) error {
	if k.topics == nil {
		<-ctx.Done()
		return nil
	}
	return k.topics.Deliver(ctx, func(ctx context.Context, message Message) error {
		_, name, _ := strings.Cut(message.Function, ":function:")
		name, qualifier, _ := strings.Cut(name, ":")
		k.mu.Lock()
		m := k.running[key(message.Topic, message.Function)]
		k.mu.Unlock()
		switch {
		case m == nil && message.Sourced:
			return aloft.Errorf(aloft.Unavailable, "the event source does not run")
		case m == nil: // subscribed through SNS' API
			ref, function, found := functions(name)
			if !found {
				return aloft.Errorf(aloft.NotFound, "there is no function %q", name)
			}
			m = &eventsource.Mapping{Stage: ref, Function: function}
		}
		_, err := invoker.Invoke(ctx, aloft.InvokeInput{
			Stage: m.Stage, Function: m.Function, Qualifier: qualifier, Payload: event(message), Async: true, Source: k.label(m, message.Topic),
			RequestID: m.ID("request " + message.ID), Trace: message.Trace,
		})
		if err != nil {
			m.Fails(0, err)
			return err
		}
		m.Worked(1)
		return nil
	})
}

// label is the topic in one word, as the app calls it.
func (k *Kind) label(m *eventsource.Mapping, topic string) string {
	source, err := (eventsource.Set{k}).Parse(m.Stage, m.Source)
	if err != nil { // subscribed through SNS' API
		return topic
	}
	return source.Name()
}
