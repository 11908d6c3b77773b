package local

import (
	"cmp"
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
	began := time.Now()
	answer, err := p.InvokeStream(ctx, input)
	if err != nil || answer.Body == nil {
		return answer.Invoked, err
	}
	defer func() { _ = answer.Body.Close() }()
	invoked := answer.Invoked
	invoked.Payload, err = io.ReadAll(io.LimitReader(answer.Body, runtimeapi.MaxPayload+1))
	invoked.Elapsed = time.Since(began)
	if failure, ok := errors.AsType[*aloft.InvokeFailure](err); ok {
		invoked.FunctionError, invoked.Payload = failure.Type, failure.Payload
		return invoked, nil
	}
	if err == nil && len(invoked.Payload) > runtimeapi.MaxPayload {
		err = aloft.Errorf(aloft.Failed, "the streamed answer is longer than %d bytes", runtimeapi.MaxPayload)
	}
	return invoked, err
}

// InvokeStream is Invoke for who reads a streamed answer while it comes, and closes its body.
func (p *Platform) InvokeStream(ctx context.Context, input aloft.InvokeInput) (aloft.InvokedStream, error) {
	if err := checkEvent(input.Payload); err != nil {
		return aloft.InvokedStream{}, err
	}
	run, err := p.handler(input)
	if err != nil {
		return aloft.InvokedStream{}, err
	}
	call := newCall(run.name, cmp.Or(input.RequestID, requestID()), input.Payload)
	call.ClientContext = input.ClientContext
	var log *tail
	if input.Tail {
		log = newTail()
		call.Watch = log
	}
	began := time.Now()
	reply, err := run.gate.Invoke(ctx, call)
	if u, ok := errors.AsType[*route.Unavailable](err); ok {
		return aloft.InvokedStream{}, aloft.Errorf(aloft.Unavailable, "%s takes no event: %s", input.Function, u.Reason).WithHint("try again; aloft ps says how its instances are")
	}
	if err != nil {
		return aloft.InvokedStream{}, err
	}
	answer := answerOf(reply)
	answer.RequestID, answer.Release = call.ID, run.release
	if log != nil && answer.Body == nil {
		answer.LogTail = log.wait(ctx)
	}
	answer.Elapsed = time.Since(began)
	return answer, nil
}

func checkEvent(event []byte) error {
	if len(event) > runtimeapi.MaxPayload {
		return aloft.Errorf(aloft.Invalid, "the event has %d bytes, %d are the most", len(event), runtimeapi.MaxPayload)
	}
	if len(event) > 0 && !json.Valid(event) {
		return aloft.Errorf(aloft.Invalid, "the event is no JSON")
	}
	return nil
}

// answerOf is a reply as an invoker returns it.
func answerOf(reply *runtimeapi.Reply) aloft.InvokedStream {
	answer := aloft.InvokedStream{Invoked: aloft.Invoked{Payload: reply.Payload}}
	if reply.Stream != nil {
		answer.Body, answer.ContentType = &answerBody{reply.Stream}, reply.ContentType
	}
	if reply.Failure != nil {
		answer.FunctionError, answer.Payload = kindOf(reply.Failure), reply.Failure.Payload
	}
	return answer
}

// answerBody is a streamed answer, whose failures are those of invocations.
type answerBody struct{ io.ReadCloser }

// Read reads.
func (b *answerBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	if failure, ok := errors.AsType[*runtimeapi.Failure](err); ok {
		err = &aloft.InvokeFailure{Type: kindOf(failure), Payload: failure.Payload}
	}
	return n, err
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

// running is a handler function of the release that serves.
type running struct {
	gate     *function.Gate
	release  int
	function aloft.Function
	name     string // as Lambda has it
}

// handler finds the handler function that an input names.
func (p *Platform) handler(input aloft.InvokeInput) (running, error) {
	ref, name := input.Stage, input.Function
	s := p.known(ref)
	if s == nil {
		return running{}, aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := s.handlers[name]
	if gate == nil {
		return running{}, noHandler(ref, name, slices.Sorted(maps.Keys(s.handlers)))
	}
	version := s.release.Version
	if q := strings.TrimPrefix(input.Qualifier, "v"); q != "" && q != strconv.Itoa(version) {
		return running{}, aloft.Errorf(aloft.Invalid, "%s of %s runs as v%d only", name, ref, version)
	}
	found := running{gate: gate, release: version, function: aloft.Function{Name: name}}
	for _, f := range s.release.Tuned() {
		if f.Name == name {
			found.function = f
		}
	}
	found.name = ref.NameOf(found.function)
	return found, nil
}

// noHandler says that there is no function of a name, and which there are.
func noHandler(ref aloft.StageRef, name string, names []string) error {
	e := aloft.Errorf(aloft.NotFound, "%s has no handler function %q", ref, name)
	if len(names) == 0 {
		return e.WithHint("a Procfile line such as \"%s: app.handler\" makes one", name)
	}
	return e.WithHint("its handler functions are %s", strings.Join(names, ", "))
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
	name := d.release.NameOf(f)
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
