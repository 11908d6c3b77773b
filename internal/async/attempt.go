package async

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/sqlite/messages"
)

// The types of failures that the end of an instance is.
const (
	exited   = "Runtime.ExitError"
	unserved = "Runtime.Unserved"
)

// The conditions of a record.
const (
	succeeded = "Success"
	exhausted = "RetriesExhausted"
	tooOld    = "EventAgeExceeded"
)

// attempt has the function work on an event and returns what that changes, and whether the event is done with.
func (w *worker) attempt(ctx context.Context, m messages.Message) (changes []messages.Change, final bool) {
	if w.halted() { // claimed at the last moment
		return []messages.Change{messages.Return{Receipt: m.Receipt}}, false
	}
	var e envelope
	if err := json.Unmarshal(m.Attributes, &e); err != nil {
		e = envelope{Error: "what is kept beside the event is no JSON"}
		return w.end(ctx, m, e, aloft.Invoked{}, exhausted), true
	}
	_, err := w.function(ctx)
	retries, delay, age := w.settings(ctx, e.Qualifier).Limits()
	if time.Since(m.Enqueued) >= age {
		if e.Error == "" {
			e.Error = "the event is older than " + age.String()
		}
		return w.end(ctx, m, e, aloft.Invoked{}, tooOld), true
	}
	if w.loops(ctx, e.Trace, e.Qualifier) {
		return w.endLoop(m, e), true
	}
	var got aloft.Invoked
	if err == nil {
		got, err = w.queue.Invoker.Invoke(ctx, aloft.InvokeInput{
			Stage: w.lane.ref, Function: w.lane.name, Payload: m.Body, ClientContext: e.ClientContext,
			RequestID: m.ID, Qualifier: e.Qualifier, Source: e.Source, Trace: e.Trace,
		})
	}
	if err == nil {
		w.hold.answered()
	}
	switch {
	case err == nil && got.FunctionError == "":
		e.Attempts++
		return w.end(ctx, m, e, got, succeeded), true
	case w.halted() && (err != nil || got.FunctionError == exited || got.FunctionError == unserved):
		return []messages.Change{messages.Return{Receipt: m.Receipt}}, false // it is not the event's fault
	case err != nil && e.Qualifier != "" && aloft.ErrorCode(err) == aloft.NotFound: // events for other versions do not wait for it
		e.Error = brief(err.Error())
		return []messages.Change{messages.Return{Receipt: m.Receipt, Delay: lastWait, Attributes: e.bytes()}}, false
	case err != nil && aloft.ErrorCode(err) != aloft.Invalid && !never(err):
		e.Error = brief(err.Error())
		return []messages.Change{messages.Return{Receipt: m.Receipt, Delay: w.hold.refused(), Attributes: e.bytes()}}, false
	case err != nil: // it will never do
		e.Error = brief(err.Error())
		return w.end(ctx, m, e, aloft.Invoked{}, exhausted), true
	}
	e.Attempts++
	e.Error = brief(got.FunctionError + said(got.Payload))
	if e.Attempts > retries {
		return w.end(ctx, m, e, got, exhausted), true
	}
	return []messages.Change{messages.Return{Receipt: m.Receipt, Delay: delay << (e.Attempts - 1), Attributes: e.bytes()}}, false
}

// never reports whether an event is refused because the function is to take none: as on Lambda it does not wait then.
func never(err error) bool {
	t, ok := errors.AsType[*aloft.Throttled](err)
	return ok && t.Reserved == 0
}

// said is the message of a function's error.
func said(payload []byte) string {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &failure) != nil || failure.Message == "" {
		return ""
	}
	return ": " + failure.Message
}

// brief bounds what is kept of an error.
func brief(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

// end is what becomes of an event that is done with: its record goes to a destination. Without one, or if that cannot be
// reached, a failed event becomes a dead letter.
func (w *worker) end(ctx context.Context, m messages.Message, e envelope, got aloft.Invoked, condition string) []messages.Change {
	gone := messages.Delete{Receipt: m.Receipt, Must: true}
	changes, reached := w.farewell(ctx, m, &e, got, condition)
	if reached || condition == succeeded {
		return append(changes, gone)
	}
	return []messages.Change{gone, w.deadLetter(m, e, got)}
}

// maxHops is how many functions may hand an event on to each other: those that are each other's destinations would do so for
// ever. Lambda's number is about the same.
const maxHops = 16

// handed is an event that a function hands on.
type handed struct {
	record []byte
	hops   int
	trace  string
}

// deliver sends a record. What it returns is to be done together with the end of the event. A record that has come too far
// becomes a dead letter.
func (w *worker) deliver(ctx context.Context, to string, h handed) ([]messages.Change, error) {
	kind, name, ok := aloft.CutDestination(to)
	if !ok && !strings.HasPrefix(to, arnPrefix) {
		return nil, aloft.Errorf(aloft.Invalid, "%q is no destination", to)
	}
	if kind == "function" || strings.HasPrefix(to, arnPrefix+"aws:lambda:") {
		l, qualifier, err := w.locate(ctx, to)
		if err != nil {
			return nil, err
		}
		next, err := w.queue.worker(ctx, l)
		if err != nil {
			return nil, err
		}
		if h.hops > maxHops {
			m := messages.Message{ID: aloft.NewID(), Body: h.record, Enqueued: time.Now()}
			e := envelope{Error: fmt.Sprintf("%d functions have handed this event on to each other: their destinations are a loop", h.hops)}
			return []messages.Change{next.deadLetter(m, e, aloft.Invoked{})}, nil
		}
		next.pending.Add(1)
		e := envelope{Qualifier: qualifier, Hops: h.hops, Trace: h.trace}
		return []messages.Change{messages.Put{Queue: next.lane.queue(), ID: aloft.NewID(), Body: h.record, Attributes: e.bytes()}}, nil
	}
	if w.queue.Send == nil {
		return nil, aloft.Errorf(aloft.NotFound, "there is no %s %q", kind, name)
	}
	const tries = 3
	ctx = lineage.With(ctx, h.trace)
	var err error
	for i := range tries {
		if err = w.queue.Send(ctx, w.lane.ref, to, h.record); err == nil || aloft.ErrorCode(err) == aloft.NotFound {
			break
		}
		pause(w.ctx, firstWait<<i)
	}
	return nil, err
}
