package events

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Attached is a source of a function that no release names, such as an event source mapping of Lambda's API: releases come and
// go beside it, and it runs while one serves that has the function.
type Attached struct {
	ID        string // tells it from all others; how far it has come goes by it
	Stage     aloft.StageRef
	Function  string
	Qualifier string // as of InvokeInput
	Source    string // a URI or an ARN with options, which is not taken for a resource of the app
	Whole     bool   // answers say nothing of single items; see eventsource.Mapping
}

// Check returns Invalid for a source that is none.
func (r *Runner) Check(source string) error {
	_, err := r.Sources.Parse(aloft.StageRef{}, source)
	return err
}

// Attach makes a source run, in place of what was attached with this ID. It returns Invalid for a source that is none.
func (r *Runner) Attach(a Attached) error {
	source, err := r.Sources.Parse(aloft.StageRef{}, a.Source)
	if err != nil {
		return err
	}
	a.Source = source.String()
	r.mu.Lock()
	before, had := r.attached[a.ID]
	r.attached[a.ID] = a
	r.mu.Unlock()
	if had && before.Stage != a.Stage {
		r.settle(before.Stage)
	}
	r.settle(a.Stage)
	return nil
}

// Detach ends a source that was attached, if there is one. It begins nothing more when Detach returns.
func (r *Runner) Detach(id string) {
	r.mu.Lock()
	a, had := r.attached[id]
	delete(r.attached, id)
	r.mu.Unlock()
	if had {
		r.settle(a.Stage)
	}
}

// State says how a source is that was attached. Running is false while no release serves that has the function.
func (r *Runner) State(id string) (state eventsource.State, running bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.attached[id]
	if !ok {
		return state, false
	}
	if s := r.stages[a.Stage]; s != nil {
		if one := s.running[a.sourced().key(a.Stage)]; one != nil {
			return one.mapping.State(), true
		}
	}
	return state, false
}

// settle ends what a stage is not to run any more, and starts what it is to run.
func (r *Runner) settle(ref aloft.StageRef) {
	r.mu.Lock()
	s := r.stages[ref]
	if s == nil {
		r.mu.Unlock()
		return
	}
	wanted := r.wanted(s.release)
	r.mu.Unlock()
	r.end(ref, func(name string) bool { return wanted[name] == nil })
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stages[ref]; s != nil {
		r.start(s)
	}
}

// wanted are the sources to run with a release, by their keys. The caller holds r.mu.
func (r *Runner) wanted(release aloft.Release) map[string]*sourced {
	all := sourcesOf(release)
	for _, a := range r.attachedTo(release) {
		one := a.sourced()
		all[one.key(a.Stage)] = &one
	}
	return all
}

// attachedTo are the sources attached to the functions that a release runs, in order. The caller holds r.mu.
func (r *Runner) attachedTo(release aloft.Release) []Attached {
	functions := release.Tuned()
	var all []Attached
	for _, a := range r.attached {
		if a.Stage == release.StageRef && slices.ContainsFunc(functions, func(f aloft.Function) bool { return f.Name == a.Function }) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Attached) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (a Attached) sourced() sourced {
	return sourced{function: a.Function, source: a.Source, attached: a.ID, qualifier: a.Qualifier, whole: a.Whole}
}
