// Package namespace is the engine that gives each sandbox a machine of its own to see: files, processes, network, users,
// host name and limits. It needs no privileges; with them it bounds memory, processor and processes through the kernel, and gives
// each sandbox a user of its own.
//
// A sandbox's first process is a copy of this program that does nothing but keep the sandbox (see package pid1). Some of them
// stand ready, with everything made that does not depend on what will run in them.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/egress"
	"github.com/aloft-run/aloft/internal/engine/filter"
	"github.com/aloft-run/aloft/internal/engine/landlock"
	"github.com/aloft-run/aloft/internal/engine/namespace/cgroup"
	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/program"
	"github.com/aloft-run/aloft/internal/engine/resolver"
)

var _ engine.Engine = (*Engine)(nil)

// Options are what an Engine works with.
type Options struct {
	Server  string   // names the server among those of the machine, such as "aloft-1f3a"
	Visible []string // directories that every sandbox may read besides the system's: interpreters in home directories
	Ready   int      // how many sandboxes stand ready
	// Bounded makes control groups bound memory, processor and processes. Without, memory is watched and the rest is not bounded.
	Bounded bool
	Second  bool         // a server of another name may run for the same apps at the same time: this one takes other users
	Logger  *slog.Logger // nil: silent
}

// Engine starts sandboxes. Close ends those that stand ready.
type Engine struct {
	Options
	groups   *cgroup.Parent // nil unless Bounded
	ways     ways
	servers  *resolver.Servers
	filter   []byte
	landlock int // the kernel's version of it; 0 without
	users    users

	mu     sync.Mutex
	ready  []*seed
	making int
	closed bool
	count  int // names sandboxes
}

// New returns an Engine after it has made one sandbox and run a command in it. It fails if this machine does not allow
// that; the error says which step.
func New(ctx context.Context, options Options) (*Engine, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{Options: options, landlock: landlock.Version(), users: users{root: os.Geteuid() == 0, second: options.Second}}
	var err error
	if e.filter, err = filter.Program(); err != nil {
		return nil, err
	}
	if options.Bounded {
		if e.groups, err = cgroup.Open(options.Server); err != nil {
			return nil, err
		}
		if err := e.groups.Sweep(); err != nil {
			e.Logger.Warn("remove what an earlier server left", "error", err)
		}
	}
	e.servers = &resolver.Servers{Path: "/etc/resolv.conf"}
	if err := e.ways.open(options.Server); err != nil && e.users.root {
		e.Logger.Warn("the kernel does not lead apps to the Internet, a userspace stack does", "error", err)
	}
	err = e.prove(ctx)
	if errors.Is(err, errNoWay) {
		e.ways.shut(err)
		e.Logger.Warn("apps cannot connect to the Internet", "error", err)
		err = e.prove(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Sweep ends and removes what a server of this name left when it was killed, as far as this process may.
func Sweep(server string) error { return errors.Join(cgroup.Sweep(server), egress.Sweep(server)) }

// prove runs a command. Whether a machine allows sandboxes is not known before one has run.
func (e *Engine) prove(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "aloft-proof-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	s, err := e.Start(ctx, engine.Spec{ID: "proof", Command: []string{"/bin/sh", "-c", ":"}, Dir: treeDir, Tree: dir, Private: dir, Limits: engine.Limits{Temp: 1 << 20}})
	if err != nil {
		return err
	}
	<-s.Done()
	if exit := s.Exit(); exit.Status != 0 {
		return fmt.Errorf("a command in a sandbox ended with status %d, signal %d", exit.Status, exit.Signal)
	}
	return nil
}

// Close ends the sandboxes that stand ready. Those that run go on until they end, or this process does.
func (e *Engine) Close() error {
	e.mu.Lock()
	ready := e.ready
	e.closed, e.ready = true, nil
	e.mu.Unlock()
	for _, s := range ready {
		s.end()
	}
	e.users.close()
	if err := e.ways.close(); err != nil {
		e.Logger.Warn("take the firewall away", "error", err)
	}
	if e.groups != nil {
		e.groups.Close()
	}
	return nil
}

// Name returns "namespace".
func (*Engine) Name() string { return "namespace" }

// Level is Bounded with control groups, Isolated without.
func (e *Engine) Level() engine.Level {
	if e.groups == nil {
		return engine.Isolated
	}
	return engine.Bounded
}

// Isolation says what is kept apart.
func (e *Engine) Isolation() string {
	apart := "files, processes, users and network are kept apart"
	if e.landlock == 0 {
		apart += " (without Landlock)"
	}
	apart += e.ways.String()
	if e.groups == nil {
		return "namespace: " + apart + "; memory is watched, processor time is not bounded"
	}
	return "namespace: " + apart + "; memory, processor time and processes are bounded"
}

// Layout implements engine.Engine.
func (*Engine) Layout(string, string) engine.Layout {
	return engine.Layout{Tree: treeDir, Opt: optDir, Home: homeDir, Temp: tempDir, OwnNetwork: true}
}

// Start implements engine.Engine.
func (e *Engine) Start(ctx context.Context, spec engine.Spec) (engine.Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.ID, err)
	}
	view := e.view(spec)
	path, err := program.Find(spec, view)
	if err != nil {
		return nil, err
	}
	seed, err := e.take()
	if err != nil {
		return nil, fmt.Errorf("start %s: make a sandbox: %w", spec.ID, err)
	}
	s, err := e.grow(seed, spec, path)
	if err == nil {
		return s, nil
	}
	seed.end()
	if f, ok := errors.AsType[*pid1Failure](err); ok {
		if errno, isExec := pid1.ExecErrno(f.reason); isExec {
			return nil, program.Explain(errno, path, spec, view)
		}
	}
	return nil, fmt.Errorf("start %s: %w", spec.ID, err)
}

// refillPause is when a seed that was taken is replaced, while others stand ready: making one takes a processor for some
// milliseconds, which the command that starts now has a better use for.
const refillPause = 300 * time.Millisecond

// take returns a seed that stands ready, or a new one, and sees to it that more are made.
func (e *Engine) take() (*seed, error) {
	for {
		e.mu.Lock()
		var s *seed
		if n := len(e.ready); n > 0 {
			s = e.ready[n-1]
			e.ready = e.ready[:n-1]
		}
		missing := e.Ready - len(e.ready) - e.making
		if e.closed {
			missing = 0
		}
		e.making += max(0, missing)
		pause := time.Duration(0)
		if len(e.ready) > 0 {
			pause = refillPause
		}
		e.mu.Unlock()
		for range missing {
			time.AfterFunc(pause, e.prepare)
		}
		if s == nil {
			return e.newSeed()
		}
		if s.alive() {
			return s, nil
		}
		s.end()
	}
}

func (e *Engine) prepare() {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return
	}
	s, err := e.newSeed()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.making--
	switch {
	case err != nil:
		e.Logger.Warn("prepare a sandbox", "error", err)
	case e.closed:
		s.end()
	default:
		e.ready = append(e.ready, s)
	}
}

// next names a sandbox.
func (e *Engine) next() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	return fmt.Sprintf("%d-%d", os.Getpid(), e.count)
}
