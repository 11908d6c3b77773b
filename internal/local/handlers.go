package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

var _ aloft.Invoker = (*Platform)(nil)

// Where a function believes to be that says nothing of it.
const (
	homeRegion  = "us-east-1"
	homeAccount = "000000000000"
)

// startHandlers starts the handler functions and returns once all are initialised.
func (d *deployment) startHandlers(ctx context.Context) error {
	results := make(chan error, len(d.handlers))
	for _, pool := range d.handlers {
		go func() { results <- pool.Start(ctx, func() {}) }()
	}
	var failure error
	for range d.handlers {
		if err := <-results; err != nil && failure == nil {
			failure = err
		}
	}
	return failure
}

// handle leads invocations to the handler functions of d. The caller holds s.mu.
func (s *stage) handle(d *deployment) {
	for name, gate := range s.handlers {
		if d.handlers[name] == nil {
			gate.Close("the release has no such function")
		}
	}
	for name, pool := range d.handlers {
		s.handlerGate(name).Use(pool)
	}
}

// handlerGate is the gate of a handler function, made if there is none: invocations wait. The caller holds s.mu.
func (s *stage) handlerGate(name string) *function.Gate {
	if s.handlers[name] == nil {
		s.handlers[name] = function.NewGate()
	}
	return s.handlers[name]
}

// closeHandlers refuses invocations, those too that wait.
func (s *stage) closeHandlers(reason string) {
	s.mu.Lock()
	gates := slices.Collect(maps.Values(s.handlers))
	s.mu.Unlock()
	for _, gate := range gates {
		gate.Close(reason)
	}
}

// Invoke implements aloft.Invoker.
func (p *Platform) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	began := time.Now()
	answer, err := p.InvokeStream(ctx, input)
	invoked := answer.Invoked
	if err == nil && answer.Body != nil {
		invoked, err = readWhole(answer, began)
	}
	if err != nil {
		return aloft.Invoked{}, err
	}
	p.keep(ctx, input.Stage, aloft.Recording{
		Function: input.Function, Release: invoked.Release, Event: input.Payload, Reply: invoked.Payload, FunctionError: invoked.FunctionError,
	})
	return invoked, nil
}

// readWhole reads a streamed answer to its end.
func readWhole(answer aloft.InvokedStream, began time.Time) (aloft.Invoked, error) {
	defer func() { _ = answer.Body.Close() }()
	invoked := answer.Invoked
	var err error
	invoked.Payload, err = io.ReadAll(io.LimitReader(answer.Body, runtimeapi.MaxPayload+1))
	invoked.Elapsed = time.Since(began)
	if failure, ok := errors.AsType[*aloft.InvokeFailure](err); ok {
		invoked.FunctionError, invoked.Payload, err = failure.Type, failure.Payload, nil
	}
	if err == nil && len(invoked.Payload) > runtimeapi.MaxPayload {
		err = aloft.Errorf(aloft.Failed, "the streamed answer is longer than %d bytes", runtimeapi.MaxPayload)
	}
	if answer.Log != nil {
		invoked.LogTail = answer.Log()
	}
	return invoked, err
}

// InvokeStream is Invoke for who reads a streamed answer while it comes, and closes its body.
func (p *Platform) InvokeStream(ctx context.Context, input aloft.InvokeInput) (aloft.InvokedStream, error) {
	if err := checkEvent(input); err != nil {
		return aloft.InvokedStream{}, err
	}
	input.RequestID = cmp.Or(input.RequestID, aloft.NewID())
	if post := p.webEvent(input); post != nil {
		invoked, err := post.invoke(ctx)
		return aloft.InvokedStream{Invoked: invoked}, err
	}
	to, err := p.target(ctx, input.Stage, input.Function, input.Qualifier)
	if err != nil {
		return aloft.InvokedStream{}, err
	}
	call := newCall(p.nameOf(input), input.RequestID, lineage.Step(input.Trace, input.Stage, input.Function), input.Payload)
	call.ClientContext = input.ClientContext
	if input.Qualifier != "" {
		call.ARN += ":" + input.Qualifier
	}
	began, watch := time.Now(), function.NewWatch(input.Tail)
	reply, err := to.invoke(ctx, call, watch)
	if err != nil {
		return aloft.InvokedStream{}, takesNone(input.Function, err)
	}
	answer := answerOf(reply, to.leave)
	answer.RequestID, answer.Release, answer.Elapsed = call.ID, watch.Release(), time.Since(began)
	switch {
	case !input.Tail:
	case answer.Body != nil:
		answer.Log = func() []byte { return watch.Tail(ctx) }
	default:
		answer.LogTail = watch.Tail(ctx)
	}
	return answer, nil
}

// invoke has the function work on a call. Who gets a streamed reply leaves when it has been read; all others have left.
func (t target) invoke(ctx context.Context, call *runtimeapi.Call, w *function.Watch) (reply *runtimeapi.Reply, err error) {
	defer func() {
		if reply == nil || reply.Stream == nil { // after a panic too
			t.leave()
		}
	}()
	return t.gate.Watch(ctx, call, w)
}

// nameOf is the name of a function as Lambda has it.
func (p *Platform) nameOf(input aloft.InvokeInput) string {
	f := aloft.Function{Name: input.Function}
	if s := p.known(input.Stage); s != nil {
		f = s.function(input.Function)
	}
	return input.Stage.NameOf(f)
}

func checkEvent(input aloft.InvokeInput) error {
	if len(input.Payload) > runtimeapi.MaxPayload {
		return aloft.Errorf(aloft.Invalid, "the event has %d bytes, %d are the most", len(input.Payload), runtimeapi.MaxPayload)
	}
	if len(input.Payload) > 0 && !json.Valid(input.Payload) {
		return aloft.Errorf(aloft.Invalid, "the event is no JSON")
	}
	if !validID(input.RequestID) {
		return aloft.Errorf(aloft.Invalid, "the request id %.40q is not allowed", input.RequestID).WithHint("use at most 128 letters, digits, dots, dashes and underscores")
	}
	return nil
}

// answerOf is a reply as an invoker returns it. Leave is called when a streamed one has been read.
func answerOf(reply *runtimeapi.Reply, leave func()) aloft.InvokedStream {
	answer := aloft.InvokedStream{Invoked: aloft.Invoked{Payload: reply.Payload}}
	if reply.Stream != nil {
		answer.Body, answer.ContentType = &answerBody{reply.Stream, leave}, reply.ContentType
		return answer
	}
	if reply.Failure != nil {
		answer.FunctionError, answer.Payload = kindOf(reply.Failure), reply.Failure.Payload
	}
	return answer
}

// answerBody is a streamed answer, whose failures are those of invocations.
type answerBody struct {
	io.ReadCloser

	leave func()
}

// Read reads.
func (b *answerBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	if failure, ok := errors.AsType[*runtimeapi.Failure](err); ok {
		err = &aloft.InvokeFailure{Type: kindOf(failure), Payload: failure.Payload}
	}
	return n, err
}

// Close ends the answer, read or not.
func (b *answerBody) Close() error {
	defer b.leave()
	return b.ReadCloser.Close()
}

// validID reports whether a request id can stand in headers and lines of a log; "" is none.
func validID(id string) bool {
	return len(id) <= 128 && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// takesNone is the error for an event that no instance takes.
func takesNone(name string, err error) error {
	if u, ok := errors.AsType[*route.Unavailable](err); ok {
		return aloft.Errorf(aloft.Unavailable, "%s takes no event: %s", name, u.Reason).WithHint("try again; aloft ps says how its instances are")
	}
	return err
}

// kindOf is the type of an error as the function names it. Runtimes say "Unhandled" of most.
func kindOf(failure *runtimeapi.Failure) string {
	var said struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(failure.Payload, &said) == nil && said.Type != "" {
		return said.Type
	}
	return failure.Type
}

// handler finds the gate of a handler function of the current release.
func (s *stage) handler(name string) (*function.Gate, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if gate := s.handlers[name]; gate != nil {
		return gate, s.release.Version, nil
	}
	names := slices.Sorted(maps.Keys(s.handlers))
	e := aloft.Errorf(aloft.NotFound, "%s has no handler function %q", s.ref, name)
	if len(names) == 0 {
		return nil, 0, e.WithHint("a Procfile line such as \"%s: app.handler\" makes one", name)
	}
	return nil, 0, e.WithHint("its handler functions are %s", strings.Join(names, ", "))
}
