// Package events runs the event sources of stages: those of the release that serves, no others, and each once. It follows the
// platform (see Platform), is paused while one server hands over to another, and knows no kind of source.
package events

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Options are what a Runner works with. All are needed but Logger, Physical, Allowed, Ends, Reserved and Paused.
type Options struct {
	Sources eventsource.Set
	Invoker aloft.Invoker
	Log     func(ref aloft.StageRef, line aloft.LogLine) // takes what users should know of a source
	Logger  *slog.Logger

	// Physical is the name on this server of a resource of a release; nil: as of functions.
	Physical func(release aloft.Release, kind, name string) string

	// Allowed returns why a source may not be one of a stage's releases; nil: all may.
	Allowed func(ctx context.Context, ref aloft.StageRef, source string) error

	Ends func(ctx context.Context, input aloft.InvokeInput) bool // as of mappings

	Reserved func(ctx context.Context, ref aloft.StageRef, function string) (most int, bound bool) // as of mappings

	Paused bool // nothing runs before Resume: another server still runs the same sources
}

// Runner runs sources. Close must be called at the end.
type Runner struct {
	Options

	work context.Context // ends with Close
	stop context.CancelFunc
	runs sync.WaitGroup

	mu       sync.Mutex
	stages   map[aloft.StageRef]*stage
	attached map[string]Attached // by their IDs
	serves   []*run              // kinds that have something to do
	marks    Marks               // while paused, and until a source is started with it
	paused   bool
	closed   bool
}

// Marks say until when each source has done what was due, so that another server goes on there.
type Marks map[string]time.Time

// stage is what is to run of a stage.
type stage struct {
	release aloft.Release
	stopped bool
	running map[string]*run
}

// New returns a Runner that runs nothing.
func New(options Options) *Runner {
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	r := &Runner{Options: options, stages: map[aloft.StageRef]*stage{}, attached: map[string]Attached{}, paused: options.Paused}
	r.work, r.stop = context.WithCancel(context.Background())
	r.serve()
	return r
}

// Use makes the sources of a release those of its stage. What it has in common with what ran before goes on undisturbed, the
// rest ends or begins.
func (r *Runner) Use(release aloft.Release) {
	r.Drop(release)
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stage(release.StageRef)
	s.release, s.stopped = release.Clone(), false
	r.start(s)
}

// Know says what a stage would run that is stopped. What it may not have ends nevertheless: events would be kept for it.
func (r *Runner) Know(release aloft.Release) {
	for _, one := range r.idle(release, func(string) bool { return true }) {
		_ = r.permit(r.work, one) // said when it is to run
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stage(release.StageRef)
	s.release, s.stopped = release.Clone(), true
}

// Drop ends the sources that a release does not have, before it begins to serve.
func (r *Runner) Drop(release aloft.Release) {
	r.mu.Lock()
	wanted := r.wanted(release)
	gone := func(name string) bool { return wanted[name] == nil }
	var idle []*run
	if s := r.stages[release.StageRef]; s != nil && s.stopped {
		idle = r.idle(s.release, gone)
	}
	r.mu.Unlock()
	r.giveUp(append(r.end(release.StageRef, gone), idle...), wanted)
}

// idle are sources of a release, by their key, that do not run.
func (r *Runner) idle(release aloft.Release, which func(name string) bool) (idle []*run) {
	for name, had := range sourcesOf(release) {
		if source, err := r.Sources.Parse(release.StageRef, had.source); err == nil && which(name) {
			idle = append(idle, &run{source: source, mapping: r.mapping(release, *had, time.Now())})
		}
	}
	return idle
}

// mapping is a source of a function while it runs.
func (r *Runner) mapping(release aloft.Release, s sourced, from time.Time) *eventsource.Mapping {
	m := &eventsource.Mapping{
		Stage: release.StageRef, Function: s.function, Source: s.source, From: from, UUID: s.attached, Qualifier: s.qualifier, Whole: s.whole, Ends: r.Ends,
		Reserved: r.Reserved,
	}
	if r.Physical != nil {
		m.Physical = func(kind, name string) string { return r.Physical(release, kind, name) }
	}
	return m
}

// Stop ends all sources of a stage, to be gone on with when it is started again.
func (r *Runner) Stop(ref aloft.StageRef) {
	r.mu.Lock()
	if s := r.stages[ref]; s != nil {
		s.stopped = true
	}
	r.mu.Unlock()
	r.end(ref, func(string) bool { return true })
}

// Remove ends all sources of a stage for good.
func (r *Runner) Remove(ref aloft.StageRef) {
	r.giveUp(r.end(ref, func(string) bool { return true }), nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.stages, ref)
}

// giveUp has sources that no function has any more leave nothing behind. Left are those that there are.
func (r *Runner) giveUp(ended []*run, left map[string]*sourced) {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	for _, one := range ended {
		ender, ok := one.source.(eventsource.Ender)
		if !ok {
			continue
		}
		var others []string
		for _, l := range left {
			if l.function == one.mapping.Function {
				others = append(others, l.source)
			}
		}
		if err := ender.End(ctx, one.mapping, others); err != nil && aloft.ErrorCode(err) != aloft.NotFound {
			r.Logger.Warn("end an event source", "stage", one.mapping.Stage.String(), "source", one.mapping.Source, "error", err)
		}
	}
}

// endTime is how long a change of a stage waits for what its sources have begun: functions may work on events for long.
const endTime = 5 * time.Second

// end ends sources of a stage by their key: they begin nothing more when it returns.
func (r *Runner) end(ref aloft.StageRef, which func(name string) bool) []*run {
	r.mu.Lock()
	var ending []*run
	if s := r.stages[ref]; s != nil {
		for name, running := range s.running {
			if which(name) {
				ending = append(ending, running)
				delete(s.running, name)
			}
		}
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	await(ctx, ending)
	return ending
}

// stage returns a stage, made if there is none. The caller holds r.mu.
func (r *Runner) stage(ref aloft.StageRef) *stage {
	if r.stages[ref] == nil {
		r.stages[ref] = &stage{running: map[string]*run{}}
	}
	return r.stages[ref]
}

// start starts what is to run and does not. The caller holds r.mu.
func (r *Runner) start(s *stage) {
	if r.paused || r.closed || s.stopped {
		return
	}
	ref := s.release.StageRef
	for name, one := range r.wanted(s.release) {
		if s.running[name] != nil {
			continue
		}
		owner := ref
		if one.attached != "" { // an ARN stays one
			owner = aloft.StageRef{}
		}
		source, err := r.Sources.Parse(owner, one.source)
		if err != nil { // a release of another version of aloft
			r.Logger.Error("an event source is not understood", "stage", ref.String(), "function", one.function, "source", one.source, "error", err)
			continue
		}
		from := time.Now()
		if mark, ok := r.marks[name]; ok {
			from = mark
			delete(r.marks, name)
		}
		s.running[name] = r.run(source, r.mapping(s.release, *one, from), s.release.Version)
	}
}

// Pause ends all sources, to be gone on with by this server or another, and returns how far they are. It waits for what they
// have begun until ctx ends.
func (r *Runner) Pause(ctx context.Context) Marks {
	r.mu.Lock()
	r.paused = true
	ending := map[string]*run{}
	for i, one := range r.serves {
		ending[strconv.Itoa(i)] = one
	}
	r.serves = nil
	for _, s := range r.stages {
		maps.Copy(ending, s.running)
		s.running = map[string]*run{}
	}
	marks := maps.Clone(r.marks)
	if marks == nil {
		marks = Marks{}
	}
	r.mu.Unlock()
	await(ctx, slices.Collect(maps.Values(ending)))
	for name, e := range ending {
		if through := e.mapping.State().Through; !through.IsZero() {
			marks[name] = through
		}
	}
	return marks
}

// Resume begins to run sources, those that were paused from where they were.
func (r *Runner) Resume(marks Marks) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused, r.marks = false, maps.Clone(marks)
	r.serve()
	for _, s := range r.stages {
		r.start(s)
	}
}

// Halt tells all sources to end, and does not wait.
func (r *Runner) Halt() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	r.Pause(now)
}

// Close ends everything. It waits for what has begun until ctx ends.
func (r *Runner) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	done := make(chan struct{})
	go func() {
		r.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end the event sources: %w", ctx.Err())
	}
}
