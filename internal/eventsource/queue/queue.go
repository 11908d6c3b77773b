// Package queue is the event source of messages in queues: queue:jobs?batch=10. It takes messages, has the function work on
// them in batches, and deletes those that it has worked on; others come again when their visibility timeout is over, or
// end in the queue for dead letters. Events are those that Lambda makes of SQS.
package queue

import (
	"context"
	"strings"
	"sync"
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
	// Return lets others receive messages after a while, before their visibility timeout is over.
	Return(ctx context.Context, queue string, receipts []string, after time.Duration) error
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
	p := &poller{source: s, mapping: m, invoker: invoker, queue: m.Resource(s.uri)}
	defer p.batches.Wait()
	slots := make(chan struct{}, s.concurrency)
	for {
		if !p.rest(ctx) {
			return nil
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		messages, err := p.gather(ctx)
		if len(messages) == 0 {
			<-slots
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			continue
		}
		p.batches.Go(func() {
			defer func() { <-slots }()
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

	mu    sync.Mutex
	pause time.Duration // before more is received: the function takes no events for now
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
	if strings.HasSuffix(p.queue, fifo) {
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

// work has the function work on a batch and deletes what it has worked on.
func (p *poller) work(ctx context.Context, messages []Message) {
	for _, part := range parts(p.endLoops(ctx, messages)) {
		p.one(ctx, part)
	}
}

func (p *poller) one(ctx context.Context, messages []Message) {
	ids, receipts := make([]string, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		ids[i], receipts[i] = m.ID, m.Receipt
	}
	input := p.mapping.Input(p.source, event(p.queue, messages))
	input.Trace = p.trace(messages)
	invoked, err := p.invoker.Invoke(ctx, input)
	if err != nil { // the function has not seen them
		p.mapping.Fails(0, err)
		if err := p.queues.Return(ctx, p.queue, receipts, p.longer()); err != nil {
			p.mapping.Fails(0, err)
		}
		return
	}
	p.mu.Lock()
	p.pause = 0
	p.mu.Unlock()
	failed, why := p.mapping.Failed(invoked, ids)
	var done []string
	for i, id := range ids {
		if !failed[id] {
			done = append(done, receipts[i])
		}
	}
	if len(done) > 0 {
		if err := p.queues.Delete(ctx, p.queue, done); err != nil {
			p.mapping.Fails(0, err)
		}
		p.mapping.Worked(len(done))
	}
	if why != nil {
		p.mapping.Fails(len(failed), why)
	}
}

// longer makes the pause before the next messages longer, and returns it.
func (p *poller) longer() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	return p.pause
}

// parts divides messages so that the events of none are larger than an event may be.
func parts(messages []Message) [][]Message {
	if len(messages) == 0 {
		return nil
	}
	var all [][]Message
	begin, size := 0, 0
	for i := range messages {
		n := sizeOf(messages[i : i+1])
		if size+n > eventsource.MaxBatch/2 && i > begin { // bodies may double in JSON
			all = append(all, messages[begin:i])
			begin, size = i, 0
		}
		size += n
	}
	return append(all, messages[begin:])
}
