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

// run is a source that runs.
type run struct {
	mapping *eventsource.Mapping
	cancel  context.CancelFunc
	done    chan struct{}
}

// run runs a source until it is told to end.
func (r *Runner) run(source eventsource.Source, m *eventsource.Mapping, release int) *run {
	ctx, cancel := context.WithCancel(r.work)
	one := &run{mapping: m, cancel: cancel, done: make(chan struct{})}
	r.runs.Go(func() {
		defer close(one.done)
		r.supervise(ctx, source, m, release)
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

// supervise runs a source again and again until ctx ends.
func (r *Runner) supervise(ctx context.Context, source eventsource.Source, m *eventsource.Mapping, release int) {
	pause := firstPause
	for {
		began := time.Now()
		err := source.Run(ctx, m, r.Invoker)
		if ctx.Err() != nil || err == nil {
			return
		}
		m.Fails(0, err)
		if through := m.State().Through; through.After(m.From) {
			m.From = through
		}
		r.Log(m.Stage, aloft.LogLine{
			Time: time.Now(), Release: release, Function: m.Function, Stream: "aloft", Text: "event source " + m.Source + ": " + err.Error(),
		})
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
