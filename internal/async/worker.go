package async

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

const (
	minInFlight = 10             // events that one function works on at once, unless it may have more instances
	held        = 24 * time.Hour // a claim ends with the server; no invocation takes that long
	settingsAge = time.Second    // how old what is known of a function may be
	mendPause   = time.Second    // after an error of the disk
)

// envelope is what is kept beside the payload of an event.
type envelope struct {
	ClientContext string `json:"clientContext,omitempty"`
	Qualifier     string `json:"qualifier,omitempty"`
	Source        string `json:"source,omitempty"`
	Attempts      int    `json:"attempts,omitempty"` // in which the function failed
	Error         string `json:"error,omitempty"`    // of the last time, also that it took no event
	Trace         string `json:"trace,omitempty"`    // of what made it; see lineage
	Hops          int    `json:"hops,omitempty"`     // functions whose destinations led here, one after another
}

// bytes is e as JSON.
func (e envelope) bytes() []byte {
	b, err := json.Marshal(e)
	if err != nil { // strings and numbers always can be written
		return []byte("{}")
	}
	return b
}

// worker brings the events of a lane to their function.
type worker struct {
	queue *Queue
	lane  lane
	store *messages.Store
	ctx   context.Context // ends when it is to take up no more
	stop  context.CancelFunc

	pending atomic.Int64 // events, about
	busy    atomic.Int64 // of them under way
	freed   chan struct{}
	hold    hold

	mu     sync.Mutex
	got    aloft.Function
	gotAt  time.Time
	gotErr error
	set    map[string]Settings // by qualifier
}

// put stores an event.
func (w *worker) put(ctx context.Context, id string, payload []byte, e envelope) error {
	if w.pending.Load() >= maxPending {
		return aloft.Errorf(aloft.Unavailable, "%d events wait for %s", maxPending, w.lane.name).WithHint("try again when it has worked on some")
	}
	if w.queue.Room != nil {
		leave, err := w.queue.Room(ctx, w.lane.ref, int64(len(payload)+messages.Overhead))
		defer leave()
		if err != nil {
			return err
		}
	}
	_, err := w.store.Put(ctx, messages.Put{Queue: w.lane.queue(), ID: id, Body: payload, Attributes: e.bytes()})
	if err == nil {
		w.pending.Add(1)
	}
	return err
}

func (w *worker) known(ctx context.Context) bool {
	_, err := w.function(ctx)
	return err == nil
}

// run takes up events until it is to stop.
func (w *worker) run() {
	for w.ctx.Err() == nil {
		free := w.limit() - w.busy.Load()
		if free <= 0 {
			select {
			case <-w.freed:
			case <-w.ctx.Done():
			}
			continue
		}
		pause(w.ctx, w.hold.left())
		got, err := w.store.Receive(w.ctx, messages.Claim{Queue: w.lane.queue(), Max: int(free), Visibility: held, Bound: true})
		if err != nil && w.ctx.Err() == nil {
			w.queue.Logger.Error("take up events", "queue", w.lane.queue(), "error", err)
			pause(w.ctx, mendPause)
		}
		for _, m := range got {
			w.busy.Add(1)
			w.queue.work.Go(func() {
				w.handle(context.WithoutCancel(w.ctx), m)
				w.busy.Add(-1)
				select {
				case w.freed <- struct{}{}:
				default: // it knows
				}
			})
		}
	}
}

// limit is how many events may be under way at once.
func (w *worker) limit() int64 {
	f, _ := w.function(w.ctx) // one that is gone takes none
	limit := max(minInFlight, f.Max, f.Instances)
	if w.queue.Reserved == nil {
		return int64(limit)
	}
	if most, bound := w.queue.Reserved(w.ctx, w.lane.ref, w.lane.name); bound && most > 0 { // with 0 all are given up
		limit = min(limit, most)
	}
	return int64(limit)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// halted reports whether the server is about to end: what fails now may fail of that.
func (w *worker) halted() bool { return w.ctx.Err() != nil }

// handle works on one event and writes what came of it. While that cannot be written the event stays under way.
func (w *worker) handle(ctx context.Context, m messages.Message) {
	changes, final := w.attempt(ctx, m)
	for {
		err := w.store.Apply(ctx, changes...)
		if code := aloft.ErrorCode(err); err == nil || code == aloft.NotFound { // its stage was deleted meanwhile
			break
		}
		if w.halted() {
			w.queue.Logger.Error("write what came of an event; it will be worked on again", "request", m.ID, "error", err)
			return
		}
		w.queue.Logger.Error("write what came of an event", "request", m.ID, "error", err)
		pause(w.ctx, mendPause)
	}
	if final {
		w.pending.Add(-1)
	}
}
