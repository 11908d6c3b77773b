package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aloft-run/aloft"
)

// maxQueue bounds the events that wait for a client that does not read. Beyond it output lines are dropped and counted.
const maxQueue = 20_000

const streamType = "application/x-ndjson"

// stream answers a request with events. Report never blocks: a stalled client must not stall a deploy.
type stream struct {
	mu      sync.Mutex
	queue   []Event
	dropped int
	closed  bool
	wake    chan struct{} // holds at most one token
}

var _ aloft.Reporter = (*stream)(nil)

// work does something long and returns what the stream's result carries.
type work func(ctx context.Context, report aloft.Reporter) (any, error)

// streamed returns the response that does work and streams its events.
func streamed(do work) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		s := &stream{wake: make(chan struct{}, 1)}
		var wg sync.WaitGroup
		wg.Go(func() { s.copyTo(w) })
		result, err := do(r.Context(), s)
		if ending, ok := errors.AsType[*aloft.Error](context.Cause(r.Context())); ok && err != nil {
			err = ending // the server ended the work; to its client that is no interrupt
		}
		if err != nil && r.Context().Err() != nil && aloft.ErrorCode(err) == aloft.Internal {
			err = aloft.Errorf(aloft.Canceled, "interrupted: %w", err) // whatever it looked like where it was cut off
		}
		s.end(last(result, err))
		wg.Wait()
	}}
}

// Report queues an event.
func (s *stream) Report(event aloft.Event) {
	e := newEvent(event)
	if e.Type == "" {
		return
	}
	s.mu.Lock()
	if len(s.queue) >= maxQueue && e.Type == typeOutput {
		s.dropped++
	} else {
		s.queue = append(s.queue, e)
	}
	s.mu.Unlock()
	s.signal()
}

// end queues the last event.
func (s *stream) end(e Event) {
	s.mu.Lock()
	if s.dropped > 0 {
		s.queue = append(s.queue, Event{Type: typeWarning, Text: fmt.Sprintf("%d lines of output were dropped: nobody read them in time", s.dropped)})
	}
	s.queue = append(s.queue, e)
	s.closed = true
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// copyTo writes events until the last one. A client that is gone is no error: the work is canceled by its context.
func (s *stream) copyTo(w http.ResponseWriter) {
	out := newLines(w)
	for range s.wake {
		s.mu.Lock()
		events, done := s.queue, s.closed
		s.queue = nil
		s.mu.Unlock()
		for _, e := range events {
			out.write(e)
		}
		out.flush()
		if done {
			return
		}
	}
}

// lines writes events to a response, one JSON object a line.
type lines struct {
	encoder *json.Encoder
	control *http.ResponseController
}

func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", streamType)
	w.WriteHeader(http.StatusOK)
	l := &lines{encoder: json.NewEncoder(w), control: http.NewResponseController(w)}
	l.encoder.SetEscapeHTML(false)
	l.flush() // the client learns at once that it was heard
	return l
}

func (l *lines) write(e Event) { _ = l.encoder.Encode(e) } // fails only if the client is gone

func (l *lines) flush() { _ = l.control.Flush() }

// streams completes the description of a route that answers with events.
func (h *handlers) streams(op huma.Operation) huma.Operation {
	op.Responses["200"] = &huma.Response{
		Description: "Events, one JSON object a line; the last is of type result or error",
		Content: map[string]*huma.MediaType{streamType: {
			Schema: h.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "Event"),
		}},
	}
	return op
}
