package runtimeapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxExtensions is how many may register, as on AWS.
const maxExtensions = 10

// extension is a program beside the runtime that wants to know of invocations and of the end.
type extension struct {
	name     string
	invokes  bool          // wants to know of invocations
	shutdown bool          // wants to know of the end
	events   chan event    // takes one of each
	open     int           // invocations that it is to be told of, or was, and has not asked for more since
	given    bool          // it was told of one of them
	gone     chan struct{} // closed with the connection by which it was told of the end
	last     sync.Once     // guards gone
}

// event is what an extension gets.
type event struct {
	body   []byte
	invoke bool
}

// Await has the initialisation wait for extensions, by the names that they register with: each must ask for an event, as on
// AWS. It is called before anything starts.
func (s *Session) Await(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = map[string]bool{}
	for _, name := range names {
		s.missing[name] = true
	}
}

// Missing are the names of those that the initialisation waits for, sorted.
func (s *Session) Missing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.missing))
}

// extension does what an extension asks for.
func (s *Session) extension(r *request, path string, body io.Reader) answer {
	switch r.method + " " + path {
	case "POST /register":
		return s.register(r, body)
	case "GET /event/next":
		return s.nextEvent(r)
	case "POST /init/error", "POST /exit/error":
		return s.extensionError(r, path, body)
	}
	return unknown(r)
}

func (s *Session) register(r *request, body io.Reader) answer {
	text, err := payload(r, body)
	var in struct {
		Events []string `json:"events"`
	}
	if err != nil || len(text) > 0 && json.Unmarshal(text, &in) != nil {
		return problem(400, "Extension.InvalidRequest", "the body is no list of events")
	}
	if r.headers.extensionName == "" {
		return problem(400, "Extension.InvalidExtensionName", "the header Lambda-Extension-Name is missing")
	}
	e := &extension{name: r.headers.extensionName, events: make(chan event, 2), gone: make(chan struct{})}
	for _, event := range in.Events {
		switch event {
		case "INVOKE":
			e.invokes = true
		case "SHUTDOWN":
			e.shutdown = true
		default:
			return problem(400, "Extension.InvalidEventType", "there are no events "+strconv.Quote(event))
		}
	}
	id := strings.ToLower(rand.Text())
	s.mu.Lock()
	full := len(s.extensions) >= maxExtensions
	if !full {
		s.extensions[id] = e
	}
	s.mu.Unlock()
	if full {
		return problem(403, "Extension.TooManyExtensions", "there are "+strconv.Itoa(maxExtensions)+" already")
	}
	return answer{status: 200, head: "Lambda-Extension-Identifier: " + id + "\r\n", body: []byte(`{"functionName":"","functionVersion":"$LATEST","handler":""}`)}
}

// known is the extension that asks, nil if it has not registered.
func (s *Session) known(r *request) *extension {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.extensions[r.headers.extensionID]
}

func badExtension() answer {
	return problem(403, "Extension.UnknownExtensionIdentifier", "no extension has this identifier")
}

// done says that the extension is through with what it was told. The caller holds Session.mu.
func (e *extension) done() {
	if e.given {
		e.given = false
		e.open--
	}
}

func (s *Session) nextEvent(r *request) answer {
	e := s.known(r)
	if e == nil {
		return badExtension()
	}
	s.settle(func() {
		delete(s.missing, e.name)
		e.done()
	})
	select {
	case event := <-e.events:
		s.mu.Lock()
		e.given = event.invoke
		s.mu.Unlock()
		if !event.invoke {
			r.over = func() { e.last.Do(func() { close(e.gone) }) }
		}
		return answer{status: 200, head: "Lambda-Extension-Event-Identifier: " + strings.ToLower(rand.Text()) + "\r\n", body: event.body}
	case <-s.closed:
		return problem(403, "Shutdown", "the instance is being ended")
	}
}

// extensionError ends the initialisation, as on AWS, or is the last word of an extension.
func (s *Session) extensionError(r *request, path string, body io.Reader) answer {
	e := s.known(r)
	if e == nil {
		return badExtension()
	}
	f := said(r, body)
	f.Type = cmp.Or(r.headers.extensionFailure, "Extension.Crash")
	s.settle(func() {
		e.open, e.invokes = 0, false
		delete(s.missing, e.name)
		if path == "/init/error" && !s.asked && s.failure == nil {
			s.failure = f
		}
	})
	return accepted()
}

// announce tells extensions of a call. The caller holds s.mu.
func (s *Session) announce(call *Call) {
	var body []byte
	for _, e := range s.extensions {
		if !e.invokes {
			continue
		}
		if body == nil {
			body, _ = json.Marshal(map[string]any{
				"eventType": "INVOKE", "deadlineMs": call.Deadline.UnixMilli(), "requestId": call.ID, "invokedFunctionArn": call.ARN,
				"tracing": map[string]string{"type": "X-Amzn-Trace-Id", "value": call.TraceID},
			})
		}
		select {
		case e.events <- event{body, true}:
			e.open++
		default: // it does not ask any more
		}
	}
}

// Shutdown tells the extensions that want to know that the instance is being ended, and why: "spindown", "timeout" or
// "failure". It returns when they have closed the connections by which they were told, or when ctx, which has a deadline, ends.
func (s *Session) Shutdown(ctx context.Context, reason string) {
	deadline, _ := ctx.Deadline()
	body, _ := json.Marshal(map[string]any{"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline.UnixMilli()})
	var told []*extension
	s.mu.Lock()
	for _, e := range s.extensions {
		if !e.shutdown {
			continue
		}
		select {
		case e.events <- event{body, false}:
			told = append(told, e)
		default:
		}
	}
	s.mu.Unlock()
	for _, e := range told {
		select {
		case <-e.gone:
		case <-s.closed:
		case <-ctx.Done():
		}
	}
}
