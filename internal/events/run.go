package events

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// After how long a source that cannot go on is run again.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// run is a source that runs, or a kind that serves.
type run struct {
	source  eventsource.Source
	mapping *eventsource.Mapping
	cancel  context.CancelFunc
	done    chan struct{}
}

// run runs a source until it is told to end.
func (r *Runner) run(source eventsource.Source, m *eventsource.Mapping, release int) *run {
	one := &run{source: source, mapping: m}
	return r.begin(one, func(ctx context.Context) {
		again(ctx, func() error {
			err := r.permit(ctx, one)
			if err == nil {
				err = source.Run(ctx, m, r.Invoker)
			}
			if err != nil && ctx.Err() == nil {
				r.fails(m, release, err)
			}
			return err
		})
	})
}

// permit looks again whether a source may be one of its stage, since what has a name may be another's by now. What was attached was by
// somebody who may do all. One that may not be leaves nothing behind, or events would be kept for it for ever.
func (r *Runner) permit(ctx context.Context, one *run) error {
	m := one.mapping
	if r.Allowed == nil || m.UUID != "" {
		return nil
	}
	err := r.Allowed(ctx, m.Stage, m.Source)
	if aloft.ErrorCode(err) == aloft.Invalid {
		r.giveUp([]*run{one}, nil)
	}
	return err
}

// fails notes that a source cannot go on. What was due until then stays done.
func (r *Runner) fails(m *eventsource.Mapping, release int, err error) {
	m.Fails(0, err)
	if through := m.State().Through; through.After(m.From) {
		m.From = through
	}
	r.Log(m.Stage, aloft.LogLine{
		Time: time.Now(), Release: release, Function: m.Function, Stream: "aloft", Text: "event source " + m.Source + ": " + err.Error(),
	})
}

// serve begins what kinds do as long as sources may run here. The caller holds r.mu, or nobody else knows r.
func (r *Runner) serve() {
	if r.paused || r.closed || len(r.serves) > 0 {
		return
	}
	for _, kind := range r.Sources {
		server, ok := kind.(eventsource.Server)
		if !ok {
			continue
		}
		r.serves = append(r.serves, r.begin(&run{mapping: &eventsource.Mapping{}}, func(ctx context.Context) {
			again(ctx, func() error {
				err := server.Serve(ctx, r.find, r.Invoker)
				if err != nil && ctx.Err() == nil {
					r.Logger.Error("events of a kind cannot be delivered", "kind", kind.Name(), "error", err)
				}
				return err
			})
		}))
	}
}

// find finds a function of a stage that runs by its name as Lambda has it. Of a name that functions of two stages have it
// finds none: an event for one must not reach the other.
func (r *Runner) find(name string) (ref aloft.StageRef, function string, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, s := range r.stages {
		for _, f := range s.release.Functions {
			if at.NameOf(f) != name {
				continue
			}
			if found {
				return aloft.StageRef{}, "", false
			}
			ref, function, found = at, f.Name, true
		}
	}
	return ref, function, found
}

// begin does something in the background until it is told to end.
func (r *Runner) begin(one *run, do func(ctx context.Context)) *run {
	ctx, cancel := context.WithCancel(r.work)
	one.cancel, one.done = cancel, make(chan struct{})
	r.runs.Go(func() {
		defer close(one.done)
		do(ctx)
	})
	return one
}

// await tells runs to end and waits until they have, or ctx ends.
func await(ctx context.Context, all []*run) {
	for _, one := range all {
		one.cancel()
	}
	for _, one := range all {
		select {
		case <-one.done:
		case <-ctx.Done():
			return
		}
	}
}

// again does something until it ends without an error, or ctx ends; ever more rarely while it fails at once.
func again(ctx context.Context, do func() error) {
	pause := firstPause
	for {
		began := time.Now()
		if err := do(); err == nil || ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, lastPause)
	}
}
