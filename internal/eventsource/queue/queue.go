// Package queue is the event source of messages in queues: queue:jobs?batch=10. It takes messages, has the function work on
// them in batches, and deletes those that it has worked on; others come again when their visibility timeout is over, or
// end in the queue for dead letters. Events are those that Lambda makes of SQS.
package queue

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Queues are the queues of this server, by physical names.
type Queues interface {
	// Receive takes up to so many messages, waiting so long for the first. In a FIFO queue no message of a group is received
	// while an earlier one is with somebody. It returns NotFound if there is no such queue.
	Receive(ctx context.Context, queue string, most int, wait time.Duration) ([]Message, error)
	// Delete deletes messages that were received, by their receipts.
	Delete(ctx context.Context, queue string, receipts []string) error
	// Return lets others receive messages after a while, before their visibility timeout is over. Of those that are unseen the
	// receive does not count.
	Return(ctx context.Context, queue string, receipts []string, after time.Duration, unseen bool) error
}

// Message is a message that was received.
type Message struct {
	ID            string
	Receipt       string
	Body          string
	System        map[string]string // attributes such as ApproximateReceiveCount, by AWS's names
	Attributes    map[string]Attribute
	AttributesMD5 string // "" without attributes
}

// Attribute is an attribute that the sender gave a message.
type Attribute struct {
	Type   string // String, Number or Binary, or one of these with a label
	Text   string
	Binary []byte // of Binary
}

// The bounds of AWS.
const (
	mostAtOnce  = 10 // messages without a window, or of a FIFO queue
	mostInBatch = 10_000
	mostWindow  = 5 * time.Minute
	fifo        = ".fifo"
)

const (
	patience    = 20 * time.Second // of one wait for messages
	firstPause  = time.Second      // after which events are offered again that no instance took
	lastPause   = 30 * time.Second
	atOnce      = 5 // batches at once, unless the source says otherwise
	mostBatches = 1000
)

// Kind is the kind of all queues.
type Kind struct{ Queues Queues }

var _ eventsource.Kind = Kind{}

// Name implements eventsource.Kind.
func (Kind) Name() string { return "queue" }

// Service implements eventsource.Kind.
func (Kind) Service() string { return "sqs" }

// Parse implements eventsource.Kind.
func (k Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	const longest = 80
	plain := u
	plain.Name = strings.TrimSuffix(u.Name, fifo)
	if err := plain.CheckResource(longest, "_."); err != nil {
		return nil, err
	}
	options := u.Read()
	s := &source{
		queues: k.Queues, batch: options.Int("batch", mostAtOnce, 1, mostInBatch), window: options.Duration("window", 0, 0, mostWindow),
		concurrency: options.Int("maximum-concurrency", atOnce, 1, mostBatches), filter: options.Filter("body", true),
	}
	var err error
	if s.uri, err = options.Done(); err != nil {
		return nil, err
	}
	isFIFO := strings.HasSuffix(u.Label(), fifo)
	switch {
	case isFIFO && s.window > 0:
		return nil, u.Fault("a FIFO queue has no window")
	case isFIFO && s.batch > mostAtOnce:
		return nil, u.Fault("a batch of a FIFO queue has at most %d messages", mostAtOnce)
	case s.batch > mostAtOnce && s.window < time.Second:
		return nil, u.Fault("a batch of more than %d messages wants a window of at least 1s", mostAtOnce).WithHint("such as %s&window=5s", u)
	}
	return s, nil
}

// source is one queue of one function.
type source struct {
	uri         eventsource.URI
	queues      Queues
	batch       int
	window      time.Duration
	concurrency int
	filter      eventsource.Filter
}

// String implements eventsource.Source.
func (s *source) String() string { return s.uri.String() }

// Name implements eventsource.Source.
func (s *source) Name() string { return s.uri.Label() }

// Run implements eventsource.Source.
func (s *source) Run(ctx context.Context, m *eventsource.Mapping, invoker aloft.Invoker) error {
	if s.queues == nil {
		return eventsource.None("queue")
	}
	p := &poller{source: s, mapping: m, invoker: invoker, queue: m.Resource(s.uri), freed: make(chan struct{}, 1)}
	defer p.batches.Wait()
	for {
		if !p.rest(ctx) || !p.enter(ctx) {
			return nil
		}
		messages, err := p.gather(ctx)
		if len(messages) == 0 {
			p.leave()
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			continue
		}
		p.batches.Go(func() {
			defer p.leave()
			p.work(context.WithoutCancel(ctx), messages)
		})
	}
}

// poller is a source that runs.
type poller struct {
	*source

	mapping *eventsource.Mapping
	invoker aloft.Invoker
	queue   string
	batches sync.WaitGroup
	busy    atomic.Int64  // batches under way
	freed   chan struct{} // one is not any more

	mu    sync.Mutex
	pause time.Duration // before more is received: the function takes no events for now
}

// ordered reports whether messages are to be worked on in their order.
func (p *poller) ordered() bool { return strings.HasSuffix(p.queue, fifo) }

// enter counts a batch more until leave is called, once there may be one. It returns false if ctx ends first.
func (p *poller) enter(ctx context.Context) bool {
	for p.busy.Load() >= p.limit(ctx) {
		select {
		case <-p.freed:
		case <-ctx.Done():
			return false
		}
	}
	p.busy.Add(1)
	return true
}

func (p *poller) leave() {
	p.busy.Add(-1)
	select {
	case p.freed <- struct{}{}:
	default: // it is known
	}
}

// limit is how many batches may be under way at once: no more than the function would take.
func (p *poller) limit(ctx context.Context) int64 {
	if p.mapping.Reserved != nil {
		if most, bound := p.mapping.Reserved(ctx, p.mapping.Stage, p.mapping.Function); bound && most > 0 { // with 0 it is asked now and then
			return int64(min(p.concurrency, most))
		}
	}
	return int64(p.concurrency)
}

// rest waits while the function takes no events. It returns false if ctx ends first.
func (p *poller) rest(ctx context.Context) bool {
	p.mu.Lock()
	pause := p.pause
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// gather receives a batch: what is there, and with a window what comes until it is over or the batch is full.
func (p *poller) gather(ctx context.Context) ([]Message, error) {
	most := p.batch
	window := p.window
	if p.ordered() {
		most, window = min(most, mostAtOnce), 0
	}
	all, err := p.receive(ctx, most, patience)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	size := sizeOf(all)
	for end := time.Now().Add(window); len(all) < most && size < eventsource.MaxBatch/2 && ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		var more []Message
		if more, err = p.receive(ctx, most-len(all), left); err != nil {
			break // it comes again with the next batch; those that were received are worked on
		}
		all, size = append(all, more...), size+sizeOf(more)
	}
	return all, err
}

// receive receives messages for the function. Those that the filter keeps from it are deleted, as on AWS.
func (p *poller) receive(ctx context.Context, most int, wait time.Duration) (wanted []Message, err error) {
	all, err := p.queues.Receive(ctx, p.queue, most, wait)
	var others []string
	for _, m := range all {
		if p.filter.Lets(func() any { return recordOf(p.queue, m) }, []byte(m.Body)) {
			wanted = append(wanted, m)
		} else {
			others = append(others, m.Receipt)
		}
	}
	if len(others) == 0 {
		return wanted, err
	}
	if err := p.queues.Delete(context.WithoutCancel(ctx), p.queue, others); err != nil {
		p.mapping.Fails(0, err) // they come again, and to nobody
	}
	return wanted, err
}

func sizeOf(messages []Message) (n int) {
	const around = 1 << 10 // what the event says besides
	for _, m := range messages {
		n += len(m.Body) + around
	}
	return n
}
