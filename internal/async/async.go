// Package async has functions work on events that nobody waits for. An event is on the disk before it is accepted, and stays
// there until its function has worked on it, its record has reached a destination, or it is a dead letter: it is worked on
// at least once, always with the same request id.
//
// A function that fails gets the event again after a minute, and after two more; one that takes no events for now, later and
// later until the event is too old. These are Lambda's rules. Each function has its own lane: a flood of one does not hold
// up another.
package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// maxPending bounds the events that wait for one function.
const maxPending = 1_000_000

// Options are the parts a Queue works with. All are needed unless said otherwise.
type Options struct {
	Invoker  aloft.Invoker // works on events
	Function func(ctx context.Context, ref aloft.StageRef, name string) (aloft.Function, error)
	Stage    func(ctx context.Context, ref aloft.StageRef) error // NotFound if there is none
	Logger   *slog.Logger

	Log func(ref aloft.StageRef, line aloft.LogLine) // takes what users should know; nil: nobody does
	// Room makes sure that n bytes more may wait for the functions of a stage, and returns Unavailable if not; the caller calls leave
	// when they wait. nil: there always is room.
	Room func(ctx context.Context, ref aloft.StageRef, n int64) (leave func(), err error)
	// Reserved is how many events of a function the invoker takes at once; nil, and false, is any number.
	Reserved func(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool)
	// Settings say what becomes of a function's events that have a qualifier ("" is none); nil: the function says it.
	Settings func(ctx context.Context, ref aloft.StageRef, f aloft.Function, qualifier string) (Settings, error)
	// Locate finds the function that an ARN names, and its qualifier, NotFound if there is none; nil: there are none.
	Locate func(ctx context.Context, arn string) (ref aloft.StageRef, name, qualifier string, err error)
	// Send delivers the record of an event to a queue or topic of its stage, or one with an ARN. It may come twice. nil: there are none.
	Send func(ctx context.Context, ref aloft.StageRef, destination string, record []byte) error
}

// Queue is an Invoker that takes events for later as well.
type Queue struct {
	Options

	deadBytes int64          // kept of the dead letters of a stage
	work      sync.WaitGroup // lanes and what they have under way

	mu    sync.Mutex
	store *messages.Store // nil until Begin
	lanes map[lane]*worker
	ctx   context.Context // of the lanes; ended while they are halted
	halt  context.CancelFunc
}

var (
	_ aloft.Invoker      = (*Queue)(nil)
	_ aloft.AsyncService = (*Queue)(nil)
)

// lane names a function.
type lane struct {
	ref  aloft.StageRef
	name string
}

// The names of queues: what waits for a function, and the dead letters of a stage.
const (
	waiting = "async/"
	dead    = "dead/"
)

func below(prefix string, ref aloft.StageRef) string { return prefix + ref.App + "/" + ref.Stage + "/" }

func (l lane) queue() string { return below(waiting, l.ref) + l.name }

// parse is the reverse; the name is "" for dead letters.
func parse(queue string) lane {
	_, rest, _ := strings.Cut(queue, "/")
	app, rest, _ := strings.Cut(rest, "/")
	stage, name, _ := strings.Cut(rest, "/")
	return lane{ref: aloft.StageRef{App: app, Stage: stage}, name: name}
}

// New returns a Queue that takes no events for later, and works on none, before Begin.
func New(options Options) *Queue {
	q := &Queue{Options: options, deadBytes: deadBytes, lanes: map[lane]*worker{}}
	q.ctx, q.halt = context.WithCancel(context.Background())
	q.halt()
	return q
}

// Begin makes the events in store this Queue's to work on. Another server that has the file open must have been halted. The
// store is the caller's to close, after Close. Of a Queue that was halted it makes one that works again.
func (q *Queue) Begin(ctx context.Context, store *messages.Store) error {
	q.mu.Lock()
	q.store = store
	q.ctx, q.halt = context.WithCancel(context.WithoutCancel(ctx))
	work := q.ctx
	q.work.Go(func() { q.keepDeadFew(work, store) })
	q.mu.Unlock()
	return q.startAll(ctx, store)
}

// startAll starts the lanes in which events wait, and deletes what is left of stages that are gone.
func (q *Queue) startAll(ctx context.Context, store *messages.Store) error {
	for _, prefix := range []string{dead, waiting} {
		from, before := messages.Below(prefix)
		all, err := store.Queues(ctx, from, before)
		if err != nil {
			return err
		}
		for queue, counts := range all {
			l := parse(queue)
			switch err := q.Stage(ctx, l.ref); {
			case aloft.ErrorCode(err) == aloft.NotFound:
				if _, err := store.Purge(ctx, queue); err != nil {
					return err
				}
			case err != nil:
				return err
			case prefix == waiting:
				q.mu.Lock()
				q.start(l).pending.Store(int64(counts.Ready + counts.Delayed + counts.Claimed))
				q.mu.Unlock()
			}
		}
	}
	return nil
}

// Halt makes the Queue take up no more events; those under way go on. What was invoked for later is kept for the next Begin,
// of this Queue or another.
func (q *Queue) Halt() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.halt()
	q.lanes = map[lane]*worker{}
}

// Close halts and waits until what is under way is done, or ctx ends.
func (q *Queue) Close(ctx context.Context) error {
	q.Halt()
	done := make(chan struct{})
	go func() {
		q.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end the work on events: %w", ctx.Err())
	}
}

// Release takes over what a server before this one had under way and has not finished: it is gone.
func (q *Queue) Release(ctx context.Context) error {
	store, err := q.current()
	if err != nil {
		return err
	}
	if _, err := store.Release(ctx, waiting); err != nil {
		return err
	}
	return q.startAll(ctx, store)
}

// Forget deletes the events and dead letters of a stage that is gone.
func (q *Queue) Forget(ctx context.Context, ref aloft.StageRef) error {
	store, err := q.current()
	if err != nil {
		return err
	}
	q.mu.Lock()
	for l, w := range q.lanes {
		if l.ref == ref {
			w.stop()
			delete(q.lanes, l)
		}
	}
	q.mu.Unlock()
	_, err = store.Purge(ctx, below(dead, ref))
	queues, listErr := q.queuesOf(ctx, store, ref)
	err = errors.Join(err, listErr)
	for queue := range queues {
		_, purgeErr := store.Purge(ctx, queue)
		err = errors.Join(err, purgeErr)
	}
	return err
}

func (q *Queue) queuesOf(ctx context.Context, store *messages.Store, ref aloft.StageRef) (map[string]messages.Counts, error) {
	from, before := messages.Below(below(waiting, ref))
	return store.Queues(ctx, from, before)
}

// Invoke implements aloft.Invoker. An event with Async is on the disk when it returns.
func (q *Queue) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	if !input.Async {
		return q.Invoker.Invoke(ctx, input)
	}
	if err := check(input); err != nil {
		return aloft.Invoked{}, err
	}
	w, err := q.worker(ctx, lane{ref: input.Stage, name: input.Function})
	if err != nil {
		return aloft.Invoked{}, err
	}
	if f, _ := w.function(ctx); f.Kind == aloft.Web && input.Source == "" {
		return aloft.Invoked{}, aloft.Errorf(aloft.NotFound, "%s is a web server, no handler function", input.Function).WithHint("aloft functions lists the handlers")
	}
	id := input.RequestID
	if id == "" {
		id = aloft.NewID()
	}
	e := envelope{ClientContext: input.ClientContext, Qualifier: input.Qualifier, Source: input.Source, Trace: input.Trace}
	if err := w.put(ctx, id, input.Payload, e); err != nil {
		return aloft.Invoked{}, err
	}
	return aloft.Invoked{RequestID: id}, nil
}

func check(input aloft.InvokeInput) error {
	const longestID = 128
	switch {
	case len(input.Payload) > aloft.MaxAsyncEvent && !isEnd(input):
		return aloft.Errorf(aloft.Invalid, "the event has %d bytes, %d are the most of one that nobody waits for", len(input.Payload), aloft.MaxAsyncEvent).
			WithHint("Lambda takes no more either: put it into a file or a bucket and send its name")
	case len(input.Payload) > 0 && !json.Valid(input.Payload):
		return aloft.Errorf(aloft.Invalid, "the event is no JSON")
	case len(input.RequestID) > longestID:
		return aloft.Errorf(aloft.Invalid, "the request id has %d bytes, %d are the most", len(input.RequestID), longestID)
	}
	return nil
}

// current returns the store, Unavailable before Begin.
func (q *Queue) current() (*messages.Store, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.store == nil {
		return nil, aloft.Errorf(aloft.Unavailable, "the aloft server is not ready yet").WithHint("type the same command again")
	}
	return q.store, nil
}

// worker returns the worker of a function that exists.
func (q *Queue) worker(ctx context.Context, l lane) (*worker, error) {
	if _, err := q.current(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	w := q.lanes[l]
	q.mu.Unlock()
	if w != nil && w.known(ctx) {
		return w, nil
	}
	if _, err := q.Function(ctx, l.ref, l.name); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.start(l), nil
}

// start returns the worker of a lane, made if there is none. The caller holds q.mu.
func (q *Queue) start(l lane) *worker {
	if w := q.lanes[l]; w != nil {
		return w
	}
	ctx, stop := context.WithCancel(q.ctx)
	w := &worker{queue: q, lane: l, store: q.store, ctx: ctx, stop: stop, freed: make(chan struct{}, 1)}
	q.lanes[l] = w
	if ctx.Err() == nil {
		q.work.Go(w.run)
	} else {
		stop()
	}
	return w
}
