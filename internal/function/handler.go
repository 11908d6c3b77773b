package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/runtimeapi"
	"github.com/aloft-run/aloft/internal/upstream"
)

// What a handler function that says nothing else gets.
const (
	DefaultInitTimeout   = 10 * time.Second // until its runtime asks for work, as on Lambda
	DefaultInvokeTimeout = 10 * time.Second
	DefaultHandlerMemory = 1024 // MB
)

// The types of failures that are not the function's own words.
const (
	TimedOut = "Sandbox.Timedout"
	exited   = "Runtime.ExitError"
)

// serveRuntime makes the Runtime API part of what the instance starts with: on Lambda's port in a network of its own, else on
// one that is free.
func (i *instance) serveRuntime(spec *engine.Spec) error {
	service := &engine.Service{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(runtimePort)), Take: func(l net.Listener) { i.takeSession(l, spec.Env) }}
	if !i.pool.ownNetwork() {
		l, err := new(net.ListenConfig).Listen(i.pool.ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for the runtime: %w", err)
		}
		i.takeSession(l, spec.Env)
		service = &engine.Service{Address: l.Addr().String()}
	}
	spec.Services = append(spec.Services, service)
	spec.Env = append(spec.Env, "AWS_LAMBDA_RUNTIME_API="+service.Address)
	return nil
}

func (i *instance) closeSession() {
	if i.session != nil {
		i.session.Close()
	}
}

// shutdownTime is how long extensions may work on after they were told of the end, as on Lambda.
const shutdownTime = 2 * time.Second

// retireSession tells extensions that the end comes, and lets them finish.
func (i *instance) retireSession() {
	if i.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(i.pool.ctx, shutdownTime)
	defer cancel()
	i.session.Shutdown(ctx, "spindown")
}

// awaitInit returns when the runtime asks for work.
func (i *instance) awaitInit(ctx context.Context, quit <-chan struct{}) error {
	name := i.pool.Function.Name
	limit := i.pool.Function.BootTimeout.Or(DefaultInitTimeout)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-i.session.Ready():
		if f := i.session.InitFailure(); f != nil {
			i.output.flush()
			return aloft.Errorf(aloft.Failed, "%s cannot be initialised: %s", name, message(f)).WithHint(seeLines).WithDetail(i.lastLines())
		}
		i.report.init = time.Since(i.startedAt)
		i.tellInit()
		i.pool.say(i, "initialised after %s", i.report.init.Round(time.Millisecond))
		return nil
	case <-i.box.Done():
		i.output.flush()
		return i.ended()
	case <-ctx.Done():
		return canceled(ctx)
	case <-quit:
		return aloft.Errorf(aloft.Canceled, "%s was stopped before it was ready", name)
	case <-timer.C:
		return i.initLate(limit)
	}
}

// initLate says what the initialisation waits for in vain.
func (i *instance) initLate(limit time.Duration) error {
	name := i.pool.Function.Name
	if missing := i.session.Missing(); len(missing) > 0 {
		return aloft.Errorf(aloft.Failed, "%s: the extension %s did not ask for events within %s", name, strings.Join(missing, ", "), limit).
			WithHint("each executable in extensions/ must register by its file's name and call /extension/event/next; make it not executable to leave it out").WithDetail(i.lastLines())
	}
	return aloft.Errorf(aloft.Failed, "%s did not ask for work within %s", name, limit).
		WithHint("do less before the handler is defined, or check that the command speaks the Lambda Runtime API").WithDetail(i.lastLines())
}

// message is what a failure says to people.
func message(f *runtimeapi.Failure) string {
	var said struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(f.Payload, &said) == nil && said.Message != "" {
		return f.Type + ": " + said.Message
	}
	return f.Type
}

// Invoke has an instance of a handler function work on a call, and returns its reply. An error of the function, and that it
// took too long or ended, are part of the Reply; the error says that no instance took the call, and is Acquire's. The call
// goes on when ctx ends: its function is not told who waits.
func (g *Gate) Invoke(ctx context.Context, call *runtimeapi.Call) (*runtimeapi.Reply, error) {
	return g.Watch(ctx, call, nil)
}

// Watch is Invoke that tells more of the call.
func (g *Gate) Watch(ctx context.Context, call *runtimeapi.Call, w *Watch) (*runtimeapi.Reply, error) {
	u, err := g.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return u.Owner.(*instance).invoke(ctx, u, call, w)
}

// job is a call that an instance works on.
type job struct {
	inst  *instance
	up    *upstream.Upstream
	id    string
	began time.Time
	timer *time.Timer
	late  atomic.Bool // its time was over before it was free
	once  sync.Once
	watch *Watch // may be nil
}

func (i *instance) invoke(ctx context.Context, u *upstream.Upstream, call *runtimeapi.Call, w *Watch) (*runtimeapi.Reply, error) {
	limit := i.pool.Function.Timeout.Or(DefaultInvokeTimeout)
	j := &job{inst: i, up: u, id: call.ID, began: time.Now(), watch: w}
	call.Deadline, call.Free = j.began.Add(limit), j.free
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	i.attach(w)
	i.log("START RequestId: " + call.ID + " Version: " + strconv.Itoa(i.pool.Release))
	j.timer = time.AfterFunc(limit, func() {
		j.late.Store(true)
		u.Drain() // what it is killed for is nobody else's fault: it gets no other call
		u.Hung()
		cancel()
	})
	reply, err := i.session.Invoke(ctx, call)
	switch {
	case err == nil:
		u.Answered()
		return reply, nil
	case j.late.Load():
		text := fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())
		return failed(TimedOut, call.ID, text), nil
	case errors.Is(err, runtimeapi.ErrEnded):
		j.free()
		<-i.box.Done()
		return failed(exited, call.ID, "Runtime exited with error: "+exitText(i.box.Exit())), nil
	}
	j.free()
	return nil, fmt.Errorf("invoke %s: %w", i.pool.Function.Name, err)
}

func failed(kind, id, text string) *runtimeapi.Reply {
	payload, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": "RequestId: " + id + " Error: " + text})
	if err != nil { // text always can be written
		payload = []byte("{}")
	}
	return &runtimeapi.Reply{Failure: &runtimeapi.Failure{Type: kind, Payload: payload}}
}

// free ends a call: the instance takes another one, or has ended.
func (j *job) free() {
	j.once.Do(func() {
		j.timer.Stop()
		j.inst.reportEnd(j)
		j.inst.detach(j.watch)
		j.up.End()
	})
}

// report is what the instance's REPORT lines tell of it.
type report struct {
	init time.Duration // of the initialisation

	mu     sync.Mutex
	told   bool  // the initialisation was reported
	memory int64 // bytes used at most, as far as seen
	seenAt time.Time
}

// meterPause is the time between looks at the memory of an instance: a look costs more than a small invocation.
const meterPause = time.Second

// reportEnd writes the lines with which Lambda ends an invocation, after those that the function printed.
func (i *instance) reportEnd(j *job) {
	took := time.Since(j.began)
	if s, ok := i.box.(engine.Settler); ok {
		s.Settle()
		i.output.flush()
	}
	if j.late.Load() {
		i.log(fmt.Sprintf("RequestId: %s Task timed out after %.2f seconds", j.id, i.pool.Function.Timeout.Or(DefaultInvokeTimeout).Seconds()))
	}
	i.report.mu.Lock()
	if meter, ok := i.box.(engine.Meter); ok && time.Since(i.report.seenAt) > meterPause {
		if usage, err := meter.Usage(); err == nil {
			i.report.memory, i.report.seenAt = max(i.report.memory, usage.Memory), time.Now()
		}
	}
	first := !i.report.told
	i.report.told = true
	used := i.report.memory >> 20
	i.report.mu.Unlock()
	i.tellReport(j, took, used, first)
	i.log("END RequestId: " + j.id)
	i.log(i.reportLine(j.id, took, used, first))
}

// reportLine is what Lambda says of an invocation. Package fmt would take a good part of what the engine itself takes for each.
func (i *instance) reportLine(id string, took time.Duration, megabytes int64, first bool) string {
	b := make([]byte, 0, 192)
	b = append(append(b, "REPORT RequestId: "...), id...)
	b = strconv.AppendFloat(append(b, "\tDuration: "...), millis(took), 'f', 2, 64)
	b = strconv.AppendInt(append(b, " ms\tBilled Duration: "...), int64(millis(took)+0.999), 10)
	b = strconv.AppendInt(append(b, " ms\tMemory Size: "...), int64(i.pool.Function.Memory), 10)
	b = strconv.AppendInt(append(b, " MB\tMax Memory Used: "...), megabytes, 10)
	b = append(b, " MB"...)
	if first {
		b = strconv.AppendFloat(append(b, "\tInit Duration: "...), millis(i.report.init), 'f', 2, 64)
		b = append(b, " ms"...)
	}
	return string(b)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// log writes a line of the platform between those of the function.
func (i *instance) log(text string) {
	i.watch.Load().add(text)
	i.pool.note(i, text)
}
