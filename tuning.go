package aloft

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Tuning is what an operator set for a function beside its source. It is part of every later release until it is reset, wins
// over what the source says, and a rollback restores it. A zero field leaves the source's word.
type Tuning struct {
	Scale       *Scale      `json:"scale,omitempty"`
	Concurrency Concurrency `json:"concurrency,omitzero"`
	Memory      int         `json:"memory,omitempty"`  // MB
	Timeout     Duration    `json:"timeout,omitempty"` // of a request until its response headers
	Sources     *Sources    `json:"sources,omitempty"`
}

// Sources is what an operator changed of a function's event sources, by their canonical URIs.
type Sources struct {
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"` // of those that the source names, and in a change also of those added before
	Clear  bool     `json:"clear,omitempty"`  // in a change: all are removed before Add
}

// Over returns what s and an earlier change say together.
func (s Sources) Over(base Sources) Sources {
	if s.Clear {
		return s
	}
	without := func(list, drop []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(text string) bool { return slices.Contains(drop, text) })
	}
	return Sources{
		Add:    append(without(base.Add, slices.Concat(s.Remove, s.Add)), s.Add...),
		Remove: append(without(base.Remove, slices.Concat(s.Add, s.Remove)), s.Remove...),
		Clear:  base.Clear,
	}
}

// Apply returns a list of sources as s makes it.
func (s Sources) Apply(list []string) []string {
	var all []string
	for _, text := range list {
		if !s.Clear && !slices.Contains(s.Remove, text) {
			all = append(all, text)
		}
	}
	for _, text := range s.Add {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// Scale is how many instances of a function run.
type Scale struct {
	Min int `json:"min"` // at least, unless it is idle; 0, of a worker: none
	Max int `json:"max"` // at most; a worker has as many as Min
}

// Concurrency is how many requests an instance takes at once.
type Concurrency struct {
	Soft int `json:"soft,omitempty"` // beyond it another instance is started; 0 means Hard
	Hard int `json:"hard,omitempty"` // beyond it requests wait; 0 means no bound
}

// TuningField names a field of Tuning.
type TuningField string

// The fields, as commands and messages name them.
const (
	ScaleField       TuningField = "scale"
	ConcurrencyField TuningField = "concurrency"
	MemoryField      TuningField = "memory"
	TimeoutField     TuningField = "timeout"
	SourcesField     TuningField = "event-sources"
)

// Over returns what t and base say together; where both speak, t wins.
func (t Tuning) Over(base Tuning) Tuning {
	if t.Scale != nil {
		base.Scale = t.Scale
	}
	if t.Concurrency != (Concurrency{}) {
		base.Concurrency = t.Concurrency
	}
	if t.Memory != 0 {
		base.Memory = t.Memory
	}
	if t.Timeout != 0 {
		base.Timeout = t.Timeout
	}
	if t.Sources != nil {
		var before Sources
		if base.Sources != nil {
			before = *base.Sources
		}
		after := t.Sources.Over(before)
		base.Sources = &after
	}
	return base
}

// Without returns t with fields back at what the source says. It leaves out what is no field.
func (t Tuning) Without(fields []TuningField) Tuning {
	for _, field := range fields {
		switch field {
		case ScaleField:
			t.Scale = nil
		case ConcurrencyField:
			t.Concurrency = Concurrency{}
		case MemoryField:
			t.Memory = 0
		case TimeoutField:
			t.Timeout = 0
		case SourcesField:
			t.Sources = nil
		}
	}
	return t
}

// Fields returns the fields that are set.
func (t Tuning) Fields() []TuningField {
	var set []TuningField
	if t.Scale != nil {
		set = append(set, ScaleField)
	}
	if t.Concurrency != (Concurrency{}) {
		set = append(set, ConcurrencyField)
	}
	if t.Memory != 0 {
		set = append(set, MemoryField)
	}
	if t.Timeout != 0 {
		set = append(set, TimeoutField)
	}
	if t.Sources != nil {
		set = append(set, SourcesField)
	}
	return set
}

// Text returns the value of a field as commands take it, "" if it is not set: "2..10", "512MB", "30s".
func (t Tuning) Text(field TuningField) string {
	switch {
	case field == ScaleField && t.Scale != nil:
		return between(t.Scale.Min, t.Scale.Max)
	case field == ConcurrencyField && t.Concurrency.Soft != 0 && t.Concurrency.Hard == 0:
		return strconv.Itoa(t.Concurrency.Soft) + ".."
	case field == ConcurrencyField && t.Concurrency.Soft != 0:
		return between(t.Concurrency.Soft, t.Concurrency.Hard)
	case field == ConcurrencyField && t.Concurrency.Hard != 0:
		return strconv.Itoa(t.Concurrency.Hard)
	case field == MemoryField && t.Memory != 0:
		return strconv.Itoa(t.Memory) + "MB"
	case field == TimeoutField && t.Timeout != 0:
		return t.Timeout.String()
	case field == SourcesField && t.Sources != nil:
		return t.Sources.text()
	}
	return ""
}

func (s Sources) text() string {
	var parts []string
	if s.Clear {
		parts = append(parts, "none")
	}
	for _, text := range s.Remove {
		parts = append(parts, "-"+text)
	}
	for _, text := range s.Add {
		parts = append(parts, "+"+text)
	}
	return strings.Join(parts, " ")
}

func between(low, high int) string {
	if low == high {
		return strconv.Itoa(low)
	}
	return strconv.Itoa(low) + ".." + strconv.Itoa(high)
}

// Apply returns the function as t makes it.
func (t Tuning) Apply(f Function) Function {
	if t.Scale != nil {
		f.Instances, f.Max = t.Scale.Min, t.Scale.Max
	}
	if t.Concurrency != (Concurrency{}) {
		f.Target, f.Concurrency = t.Concurrency.Soft, t.Concurrency.Hard
	}
	if t.Memory != 0 {
		f.Memory = t.Memory
	}
	if t.Timeout != 0 {
		f.Timeout = t.Timeout
	}
	if t.Sources != nil {
		f.EventSources = t.Sources.Apply(f.EventSources)
	}
	return f
}

// off reports whether no instance is to run.
func (t Tuning) off() bool { return t.Scale != nil && t.Scale.Max == 0 }

// Tuned returns the functions of a release as they are to run: those of the source, tuned, without those turned off.
func (r Release) Tuned() []Function {
	tuned := make([]Function, 0, len(r.Functions))
	for _, f := range r.Functions {
		if t := r.Tuning[f.Name]; !t.off() {
			tuned = append(tuned, t.Apply(f))
		}
	}
	return tuned
}

// cloneTuning copies so that no memory is shared.
func cloneTuning(all map[string]Tuning) map[string]Tuning {
	all = maps.Clone(all)
	for name, t := range all {
		if t.Scale != nil {
			scale := *t.Scale
			t.Scale = &scale
		}
		if t.Sources != nil {
			t.Sources = &Sources{slices.Clone(t.Sources.Add), slices.Clone(t.Sources.Remove), t.Sources.Clear}
		}
		all[name] = t
	}
	return all
}
