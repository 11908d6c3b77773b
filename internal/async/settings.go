package async

import (
	"context"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// Settings say what becomes of events for a function, or for a version or an alias of it.
type Settings struct {
	*aloft.Async        // nil: the defaults. Destinations may be ARNs besides what the manifest takes
	DeadLetter   string // ARN of the queue or topic that gets the payload of an event that is given up; "" is none
}

const arnPrefix = "arn:"

// function is the function as it is now, which may be a second old.
func (w *worker) function(ctx context.Context) (aloft.Function, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refreshed(ctx)
}

// refreshed is what is known of the function. The caller holds w.mu.
func (w *worker) refreshed(ctx context.Context) (aloft.Function, error) {
	if time.Since(w.gotAt) >= settingsAge {
		w.got, w.gotErr = w.queue.Function(ctx, w.lane.ref, w.lane.name)
		w.gotAt, w.set = time.Now(), map[string]Settings{}
	}
	return w.got, w.gotErr
}

// settings are those of a qualifier, as old. Those of the function hold when others cannot be read.
func (w *worker) settings(ctx context.Context, qualifier string) Settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := w.refreshed(ctx)
	known, ok := w.set[qualifier]
	if ok || err != nil || w.queue.Settings == nil {
		if !ok {
			known.Async = f.Async
		}
		return known
	}
	known, err = w.queue.Settings(ctx, w.lane.ref, f, qualifier)
	if err != nil {
		w.queue.Logger.Error("read what becomes of events", "function", w.lane.name, "error", err)
		known = Settings{Async: f.Async}
	}
	w.set[qualifier] = known
	return known
}

// farewell sends what is to be sent of an event that is done with. Reached says whether anybody has it; e gets the reason if not.
func (w *worker) farewell(ctx context.Context, m messages.Message, e *envelope, got aloft.Invoked, condition string) (changes []messages.Change, reached bool) {
	set := w.settings(ctx, e.Qualifier)
	send := func(to string, what []byte) {
		sent, err := w.deliver(ctx, to, handed{what, e.Hops + 1, lineage.Step(e.Trace, w.lane.ref, w.lane.name)})
		if err == nil {
			changes, reached = append(changes, sent...), true
			return
		}
		w.queue.Logger.Warn("send the record of an event", "request", m.ID, "destination", to, "error", err)
		e.Error = brief(e.Error + " (and " + to + " takes no record: " + err.Error() + ")")
	}
	if to := set.Destination(condition == succeeded); to != "" {
		name := w.lane.ref.FunctionName(w.lane.name)
		if f, err := w.function(ctx); err == nil {
			name = w.lane.ref.NameOf(f)
		}
		send(to, w.record(name, m, *e, got, condition))
	}
	if set.DeadLetter != "" && condition != succeeded {
		send(set.DeadLetter, m.Body)
	}
	return changes, reached
}

// locate is the lane, and the qualifier, of a function that a destination names.
func (w *worker) locate(ctx context.Context, to string) (l lane, qualifier string, err error) {
	if !strings.HasPrefix(to, arnPrefix) {
		_, name, _ := aloft.CutDestination(to)
		return lane{ref: w.lane.ref, name: name}, "", nil
	}
	if w.queue.Locate == nil {
		return lane{}, "", aloft.Errorf(aloft.NotFound, "there is no function %s", to)
	}
	l.ref, l.name, qualifier, err = w.queue.Locate(ctx, to)
	return l, qualifier, err
}
