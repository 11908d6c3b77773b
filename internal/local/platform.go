// Package local is the platform that is this machine: it gives each release a tree of its own, runs its functions on an
// engine, and leads the stage's hosts to what is ready. What it holds in memory and on disk is made anew at each start of
// the server from artifacts and releases; it stores nothing.
package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/reclaim"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/route"
)

var (
	_ aloft.Platform = (*Platform)(nil)
	_ aloft.Runner   = (*Platform)(nil)
)

// Options are what a Platform works with. All are needed but those that may be nil.
type Options struct {
	Engine    engine.Engine
	Table     *route.Table
	Artifacts Artifacts
	Logs      Logs
	Releases  Releases // what qualifiers of invocations name; nil if there are only current releases
	Recorder  Recorder // keeps events; nil if none is kept
	// Reserved is how many events of a handler function may be worked on at once; nil, and false, is any number.
	Reserved func(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool)
	Unseal   func(ctx context.Context, release aloft.Release) (aloft.Config, error)
	Dir      string                                 // trees and private directories of instances; nothing else may lie there
	Data     string                                 // directories of what stages keep; unlike Dir it is not emptied at a start. "" gives them none
	Hosts    func(stage aloft.Stage) []string       // all hosts of a stage, its own first
	Runtimes string                                 // directory of the clients of Lambda's runtimes, which sandboxes see; "" if there are none
	BaseEnv  []string                               // of every instance, "K=V": PATH, LANG …
	Static   func(root string) (route.Files, error) // serves the files below root; if it is an io.Closer it is closed
	Stores   resource.Set                           // stores and services that releases declare
	Logger   *slog.Logger
	Before   *Before // a server that still runs the same stages; nil if there is none
}

// Artifacts unpacks artifacts.
type Artifacts interface {
	// Extract unpacks the artifact into dst, which does not exist.
	Extract(ctx context.Context, digest, dst string) error
}

// Logs takes what instances print.
type Logs interface {
	Append(ref aloft.StageRef, line aloft.LogLine)
}

// Platform runs stages on this machine. Close must be called at the end.
type Platform struct {
	Options
	ports  *function.Ports
	bodies *semaphore.Weighted // bytes of large bodies of events that may be in memory at once, of all functions
	sides  sides
	rest   rest

	reservations reservations

	work       context.Context // ends when no more work is taken: with Close
	stopWork   context.CancelFunc
	life       context.Context // ends when what still runs is killed
	stopLife   context.CancelFunc
	background sync.WaitGroup // everything that goes on after the call that began it

	door door // to resources, for sandboxes without a network of their own

	mu     sync.Mutex
	stages map[aloft.StageRef]*stage
	closed bool
}

// New returns a Platform on which nothing runs. It touches nothing yet.
func New(options Options) *Platform {
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	p := &Platform{Options: options, ports: function.NewPorts(), bodies: semaphore.NewWeighted(allBodies), stages: map[aloft.StageRef]*stage{}}
	p.sides.platform = p
	p.rest.free = reclaim.Memory
	p.work, p.stopWork = context.WithCancel(context.Background())
	p.life, p.stopLife = context.WithCancel(context.Background())
	return p
}

var errClosed = aloft.Errorf(aloft.Unavailable, "the server is shutting down")

// stage returns the stage's state, made if there is none.
func (p *Platform) stage(ref aloft.StageRef) (*stage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	s := p.stages[ref]
	if s == nil {
		s = newStage(ref)
		p.stages[ref] = s
	}
	return s, nil
}

// known returns the stage's state, nil if there is none.
func (p *Platform) known(ref aloft.StageRef) *stage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stages[ref]
}

// enter waits for its turn to change a stage. The context it returns ends with ctx and when the platform closes; leave
// must be called at the end.
func (p *Platform) enter(ctx context.Context, ref aloft.StageRef) (_ context.Context, s *stage, leave func(), err error) {
	for {
		if s, err = p.stage(ref); err != nil {
			return nil, nil, nil, err
		}
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, nil, aloft.Errorf(aloft.Canceled, "wait for the change of %s before this one: %w", ref, ctx.Err())
		case <-p.work.Done():
			return nil, nil, nil, errClosed
		}
		if p.known(ref) == s {
			break
		}
		<-s.turn // it was removed meanwhile
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.work, cancel)
	return ctx, s, func() { unhook(); cancel(); <-s.turn }, nil
}

// begin counts a call in that Close waits for; it must end with background.Done.
func (p *Platform) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.background.Add(1)
	return nil
}

// after runs f in the background; Close waits for it.
func (p *Platform) after(f func()) { p.background.Go(f) }

// Close lets everything finish its requests and ends it. When ctx ends first, what is left is killed. Nothing is left
// either way; the error says that it was not in peace.
func (p *Platform) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	all := make([]*stage, 0, len(p.stages))
	for _, s := range p.stages {
		all = append(all, s)
	}
	p.mu.Unlock()
	p.stopWork()
	defer p.rest.close()
	unhook := context.AfterFunc(ctx, p.stopLife)
	defer p.stopLife()
	for _, s := range all {
		p.after(func() {
			s.turn <- struct{}{} // after a change under way, which gives up now
			defer func() { <-s.turn }()
			s.gate.Close("the server is shutting down")
			s.closeHandlers("the server is shutting down")
			gone := p.retire(s, s.take())
			p.sides.drop(s, "the server is shutting down")
			<-gone
		})
	}
	p.background.Wait()
	p.door.close()
	if !unhook() {
		return errors.Join(errors.New("close the platform: instances were killed"), ctx.Err())
	}
	return nil
}
