// Package shim is what runs inside of AWS Lambda in front of a web server that knows nothing of Lambda: it starts the server,
// takes invocations from the Runtime API, sends each to the server as a request, and replies with the response. On OS-only
// runtimes it is the bootstrap; on managed ones it takes the runtime's place, or only gives it the environment, as
// AWS_LAMBDA_EXEC_WRAPPER.
//
// It starts with each environment: it is small, depends on the standard library only, and polls milliseconds after it started.
package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// How long the server may take until the Runtime API is asked for work without it.
const (
	// Lambda's init ends after ten seconds, and begins anew then.
	initTime = 9500 * time.Millisecond

	// Where environments are made ahead of requests, it ends after 130 s, or after the function's timeout if that is longer.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
	initTimeAhead = 125 * time.Second
)

// Program is the process that the shim is.
type Program struct {
	Args   []string // the command line of a managed runtime, if it is started in front of one
	Env    []string
	Stdout io.Writer
	Stderr io.Writer
}

// Run works until ctx ends or there is no more work, and returns the exit status.
func Run(ctx context.Context, p Program) int {
	began := time.Now()
	s, err := parse(p.Env)
	t := &tail{}
	stderr := &output{w: p.Stderr, tail: t}
	say := func(format string, args ...any) { stderr.line(fmt.Appendf([]byte("aloft: "), format, args...)) }
	if err == nil {
		err = s.fetchConfig(ctx)
	}
	switch {
	case err != nil:
	case s.work():
		err = s.adapter()
	case len(s.Become)+len(p.Args) > 0:
		err = s.replace(slices.Concat(s.Become, p.Args))
	}
	if err != nil {
		say("%v", err)
		giveUp(ctx, lookup(p.Env, "AWS_LAMBDA_RUNTIME_API"), err)
		return 1
	}
	r := &run{settings: s, began: began, stdout: &output{w: p.Stdout, tail: t}, stderr: stderr, say: say}
	if err := r.run(ctx); err != nil {
		say("%v", err)
		return 1
	}
	return 0
}

// replace becomes the program that the shim was started in front of.
func (s *settings) replace(args []string) error {
	env := list(s.merged())
	if s.api != "" {
		env = append(env, "AWS_LAMBDA_RUNTIME_API="+s.api) // it is a runtime
	}
	path, err := lookPath(args[0], s.root, env)
	if err == nil {
		err = syscall.Exec(path, args, env)
	}
	return fmt.Errorf("start the runtime %s: %w", args[0], err)
}

// giveUp tells the Runtime API why the function cannot start, so that those who invoke it are told.
func giveUp(ctx context.Context, api string, why error) {
	if api == "" {
		return
	}
	f, ok := errors.AsType[failure](why)
	if !ok {
		f = failure{kindInit, why.Error()}
	}
	c := newClient(api)
	defer c.close()
	_ = c.failInit(ctx, f) // the log has it
}

// run is the shim at work.
type run struct {
	*settings

	began          time.Time // when the process did
	stdout, stderr *output
	say            func(format string, args ...any)
}

// run starts the server, waits until it is ready, and works. It returns nil when there is no more to do.
func (r *run) run(ctx context.Context) error {
	switch {
	case r.api == "":
		return errors.New("AWS_LAMBDA_RUNTIME_API is not set: this program runs inside of AWS Lambda")
	case !r.work():
		err := failed(kindInit, "%s names neither a command nor files", SpecVariable)
		giveUp(ctx, r.api, err)
		return err
	}
	files, err := r.openFiles()
	if err != nil {
		giveUp(ctx, r.api, err)
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	if r.concurrency == 1 {
		runtime.GOMAXPROCS(2) // one for the thread of the invocation, which blocks, and one for all else
	}
	var server *child
	if len(r.Command) > 0 {
		server = newChild(r.settings, r.stdout, r.stderr, r.say)
		all.Go(func() { server.run(ctx) })
		all.Go(func() { r.registerExtension(ctx) })
		if err := r.init(ctx, server); err != nil {
			return err
		}
	}
	return r.loops(ctx, server, files)
}

// init waits until the server is ready, or Lambda's patience is nearly over: then the first invocation waits.
func (r *run) init(ctx context.Context, server *child) error {
	patience := initTime
	if r.ahead {
		patience = initTimeAhead
	}
	bounded, cancel := context.WithDeadline(ctx, r.began.Add(patience))
	defer cancel()
	server.clock.begin()
	defer server.clock.end()
	err := server.settled(bounded)
	if err != nil {
		giveUp(ctx, r.api, err)
		return errors.New("the function was not started")
	}
	if bounded.Err() != nil && ctx.Err() == nil {
		r.say("%s is not ready after %s; the first request waits for it", r.Command[0], patience)
	}
	return nil
}

// loops works on as many invocations at once as Lambda may give: one, but for Managed Instances.
func (r *run) loops(ctx context.Context, server *child, files []files) error {
	var log func([]byte)
	if r.RequestLog {
		log = r.stdout.line
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var flights sync.RWMutex
	for range r.concurrency {
		w := &worker{settings: r.settings, api: newClient(r.api), child: server, files: files, flights: &flights, say: r.say, log: log}
		if server != nil {
			w.api.before = server.drain
		}
		w.api.blocks, w.link.blocks = r.concurrency == 1, r.concurrency == 1
		all.Go(func() {
			err := w.loop(ctx)
			if errors.Is(err, errLost) { // what else is under way is answered first
				flights.Lock()
				defer flights.Unlock()
			}
			cancel(err)
		})
	}
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errShutdown) && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
