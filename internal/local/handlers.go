package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
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
	if len(input.Payload) > runtimeapi.MaxPayload {
		return aloft.Invoked{}, aloft.Errorf(aloft.Invalid, "the event has %d bytes, %d are the most", len(input.Payload), runtimeapi.MaxPayload)
	}
	if len(input.Payload) > 0 && !json.Valid(input.Payload) {
		return aloft.Invoked{}, aloft.Errorf(aloft.Invalid, "the event is no JSON")
	}
	if input.RequestID == "" {
		input.RequestID = requestID()
	}
	if post := p.webEvent(input); post != nil {
		return post.invoke(ctx)
	}
	gate, release, err := p.handler(input.Stage, input.Function)
	if err != nil {
		return aloft.Invoked{}, err
	}
	call := newCall(input.Stage, input.Function, input.RequestID, input.Payload)
	call.ClientContext = input.ClientContext
	began := time.Now()
	reply, err := gate.Invoke(ctx, call)
	if err != nil {
		return aloft.Invoked{}, takesNone(input.Function, err)
	}
	invoked := aloft.Invoked{RequestID: call.ID, Release: release, Payload: reply.Payload}
	failure := reply.Failure
	if reply.Stream != nil {
		if invoked.Payload, failure, err = readWhole(reply); err != nil {
			return aloft.Invoked{}, err
		}
	}
	if failure != nil {
		invoked.FunctionError, invoked.Payload = kindOf(failure), failure.Payload
	}
	invoked.Elapsed = time.Since(began)
	return invoked, nil
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

// handler finds the gate of a handler function that runs, and the release that does.
func (p *Platform) handler(ref aloft.StageRef, name string) (*function.Gate, int, error) {
	s := p.known(ref)
	if s == nil {
		return nil, 0, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if gate := s.handlers[name]; gate != nil {
		return gate, s.release.Version, nil
	}
	names := slices.Sorted(maps.Keys(s.handlers))
	e := aloft.Errorf(aloft.NotFound, "%s has no handler function %q", ref, name)
	if len(names) == 0 {
		return nil, 0, e.WithHint("a Procfile line such as \"%s: app.handler\" makes one", name)
	}
	return nil, 0, e.WithHint("its handler functions are %s", strings.Join(names, ", "))
}

// handlerSpec is what an instance of a handler function starts with.
func (d *deployment) handlerSpec(f aloft.Function, spec *engine.Spec) error {
	family, _, err := lambdaruntime.Parse(f.Runtime)
	if err != nil {
		return err
	}
	if family != lambdaruntime.Provided {
		spec.Command, _ = lambdaruntime.Command(family, d.platform.Runtimes)
	}
	return nil
}

// handlerVars are the variables that Lambda gives a function.
func (d *deployment) handlerVars(f aloft.Function, tree string) map[string]string {
	name := d.release.FunctionName(f.Name)
	return map[string]string{
		"_HANDLER": f.Handler, "LAMBDA_TASK_ROOT": tree, "LAMBDA_RUNTIME_DIR": d.platform.Runtimes,
		"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": strconv.Itoa(d.release.Version),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + name, "AWS_LAMBDA_LOG_STREAM_NAME": strconv.Itoa(d.release.Version),
		"AWS_EXECUTION_ENV": "AWS_Lambda_" + f.Runtime, "AWS_REGION": homeRegion, "AWS_DEFAULT_REGION": homeRegion, "TZ": ":UTC",
	}
}

// requestID is a random identifier in the form of a UUID (RFC 9562, version 4).
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// traceID is what Lambda puts into _X_AMZN_TRACE_ID: a trace that is not sampled.
func traceID() string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", time.Now().Unix(), b[:12], b[12:])
}

// readWhole reads a streamed reply to its end.
func readWhole(reply *runtimeapi.Reply) ([]byte, *runtimeapi.Failure, error) {
	defer func() { _ = reply.Stream.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Stream, runtimeapi.MaxPayload+1))
	if failure, ok := errors.AsType[*runtimeapi.Failure](err); ok {
		return nil, failure, nil
	}
	if err == nil && len(body) > runtimeapi.MaxPayload {
		err = aloft.Errorf(aloft.Failed, "the streamed answer is longer than %d bytes", runtimeapi.MaxPayload)
	}
	return body, nil, err
}
