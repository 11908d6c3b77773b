package events

import (
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// List says what sources a release's functions have, and how they are.
func (r *Runner) List(release aloft.Release) []aloft.EventSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []aloft.EventSource{}
	for _, f := range release.Functions {
		for _, text := range release.Tuning[f.Name].Apply(f).EventSources {
			e := aloft.EventSource{Function: f.Name, Source: text, Operator: !slices.Contains(f.EventSources, text)}
			all = append(all, r.listed(e, release.StageRef, sourced{function: f.Name, source: text}))
		}
	}
	for _, a := range r.attachedTo(release) {
		all = append(all, r.listed(aloft.EventSource{Function: a.Function, Source: a.Source, Mapping: a.ID}, a.Stage, a.sourced()))
	}
	return all
}

// listed is a source with how it is. The caller holds r.mu.
func (r *Runner) listed(e aloft.EventSource, ref aloft.StageRef, one sourced) aloft.EventSource {
	if s := r.stages[ref]; s != nil {
		if running := s.running[one.key(ref)]; running != nil {
			e.Running = true
			fill(&e, running.mapping.State())
		}
	}
	return e
}

func fill(e *aloft.EventSource, s eventsource.State) {
	e.Last, e.Next, e.Events, e.Failed, e.Error = s.Last, s.Next, s.Events, s.Failed, s.Error
}
