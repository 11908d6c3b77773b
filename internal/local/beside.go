package local

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
)

// Before is a server that serves the same stages until this one takes its place.
type Before struct {
	// Over is closed when this server serves in its place. Workers start then, not twice at a time for long.
	Over <-chan struct{}
	// Holds are the stages whose instances there have a port or socket that instances here need too. They start when the
	// channel is closed; their requests wait.
	Holds map[aloft.StageRef]<-chan struct{}
}

const (
	serveLook   = 10 * time.Millisecond  // between looks whether a stage serves
	serveSettle = 150 * time.Millisecond // for which all must stay so: some listen before they find what stops them
)

// overtakes waits until the server before has freed what a stage needs. It returns false if this one ends first.
func (p *Platform) overtakes(ref aloft.StageRef) bool {
	if p.Before == nil || p.Before.Holds[ref] == nil {
		return true
	}
	select {
	case <-p.Before.Holds[ref]:
		return true
	case <-p.work.Done():
		return false
	}
}

// over waits until this server serves. It returns false if it ends first.
func (p *Platform) over() bool {
	if p.Before == nil {
		return true
	}
	select {
	case <-p.Before.Over:
		return true
	case <-p.work.Done():
		return false
	}
}

// Serving lists the stages that answer requests now, and those of them that only one server can run at a time: their
// instances have ports or sockets of their own choice.
func (p *Platform) Serving() (serving, alone []aloft.StageRef) {
	p.mu.Lock()
	all := maps.Clone(p.stages)
	p.mu.Unlock()
	for ref, s := range all {
		d := s.current()
		if d == nil {
			continue
		}
		if d.web == nil || d.web.Serves() {
			serving = append(serving, ref)
		}
		if d.web != nil && d.web.Insists() != nil {
			alone = append(alone, ref)
		}
	}
	return serving, alone
}

// AwaitServing returns when all of the stages answer requests, those aside that must wait for the server before. When ctx
// ends first the error says which do not, and why.
func (p *Platform) AwaitServing(ctx context.Context, stages []aloft.StageRef) error {
	tick := time.NewTicker(serveLook)
	defer tick.Stop()
	since := time.Now()
	for {
		lacking := slices.DeleteFunc(slices.Clone(stages), p.ready)
		switch {
		case len(lacking) > 0:
			since = time.Now()
		case len(stages) == 0 || time.Since(since) >= serveSettle:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return p.lacking(ctx, lacking)
		}
	}
}

// ready reports whether a stage answers requests, or is not to yet.
func (p *Platform) ready(ref aloft.StageRef) bool {
	if p.Before != nil && p.Before.Holds[ref] != nil {
		return true
	}
	s := p.known(ref)
	if s == nil {
		return false
	}
	d := s.current()
	return d != nil && (d.web == nil || d.web.Serves())
}

func (p *Platform) lacking(ctx context.Context, stages []aloft.StageRef) error {
	var texts []string
	for _, ref := range stages {
		status, _ := p.Status(context.WithoutCancel(ctx), ref) // never fails
		at := slices.IndexFunc(status.Instances, func(i aloft.Instance) bool { return i.Reason != "" })
		if at < 0 {
			texts = append(texts, ref.String())
		} else {
			texts = append(texts, ref.String()+": "+status.Instances[at].Reason)
		}
	}
	slices.Sort(texts)
	return fmt.Errorf("not ready: %s: %w", strings.Join(texts, "; "), ctx.Err())
}

// EndWorkers ends all workers, politely, in the background: another server has begun to run them.
func (p *Platform) EndWorkers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	for _, s := range p.stages {
		if d := s.current(); d != nil {
			for _, w := range d.workers {
				p.after(func() { w.Stop(p.life) })
			}
		}
	}
}

// Vacate ends the instances of a stage, so that another server's can have their ports: those that run no more requests at
// once, streams after a moment. It returns when they are gone.
func (p *Platform) Vacate(ctx context.Context, ref aloft.StageRef) error {
	ctx, s, leave, err := p.enter(ctx, ref)
	if err != nil {
		return err
	}
	defer leave()
	d := s.take()
	if d.runsWeb() {
		s.gate.Hold(heldReason)
		idle(ctx, d.web, min(quickDrain, d.web.Function.DrainTimeout.Or(function.DefaultDrainTimeout)/4))
		d.web.Cut()
	}
	<-p.retire(s, d)
	return s.awaitOld(ctx)
}
