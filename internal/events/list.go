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
			if s := r.stages[release.StageRef]; s != nil {
				if one := s.running[key(release.StageRef, f.Name, text)]; one != nil {
					e.Running = true
					fill(&e, one.mapping.State())
				}
			}
			all = append(all, e)
		}
	}
	return all
}

func fill(e *aloft.EventSource, s eventsource.State) {
	e.Last, e.Next, e.Events, e.Failed, e.Error = s.Last, s.Next, s.Events, s.Failed, s.Error
}
