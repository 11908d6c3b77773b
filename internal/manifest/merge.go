package manifest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

// over returns what l and base say together; where both speak, l wins.
func (l layer) over(base layer) layer {
	merged := layer{base: l.base.over(base.base), stages: map[string]Settings{}}
	for _, stages := range []map[string]Settings{base.stages, l.stages} {
		for name, s := range stages {
			merged.stages[name] = s.over(merged.stages[name])
		}
	}
	return merged
}

// over returns what s and base say together; where both speak, s wins. The result shares no memory with either.
func (s Settings) over(base Settings) Settings {
	merged := Settings{
		Name:   cmp.Or(s.Name, base.Name),
		Build:  cmp.Or(s.Build, base.Build),
		Start:  cmp.Or(s.Start, base.Start),
		Hooks:  s.Hooks.over(base.Hooks),
		Static: s.Static.over(base.Static),
		Routes: join(s.Routes, base.Routes),
		Env:    join(s.Env, base.Env),

		Resources: mergeResources(s.Resources, base.Resources),
		Uses:      pick(s.Uses, base.Uses),

		Health:  s.Health.over(base.Health),
		Drain:   cmp.Or(s.Drain, base.Drain),
		Timeout: cmp.Or(s.Timeout, base.Timeout),
		Ignore:  pick(s.Ignore, base.Ignore),

		Isolation: cmp.Or(s.Isolation, base.Isolation),

		Platform: cmp.Or(s.Platform, base.Platform),
		AWS:      s.AWS.over(base.AWS),
	}
	merged.Required = append(slices.Clone(base.Required), s.Required...)
	if len(s.Functions)+len(base.Functions) > 0 {
		merged.Functions = maps.Clone(base.Functions)
		if merged.Functions == nil {
			merged.Functions = map[string]FunctionSettings{}
		}
		for name, f := range s.Functions {
			merged.Functions[name] = f.over(merged.Functions[name])
		}
	}
	s.settle(&merged)
	return merged
}

// settle keeps the two pairs that exclude each other apart: what s says ends what an earlier layer said the other way.
func (s Settings) settle(merged *Settings) {
	switch {
	case s.Build != "":
		merged.Hooks.Build = nil
	case s.Hooks.Build != nil:
		merged.Build = ""
	}
	switch {
	case s.Static != nil && s.Static.Only:
		merged.Start = ""
	case s.Start != "" && merged.Static != nil:
		merged.Static.Only = false
	}
}

func (h Hooks) over(base Hooks) Hooks {
	return Hooks{
		Prebuild:    pick(h.Prebuild, base.Prebuild),
		Build:       pick(h.Build, base.Build),
		Postbuild:   pick(h.Postbuild, base.Postbuild),
		Predeploy:   pick(h.Predeploy, base.Predeploy),
		Postdeploy:  pick(h.Postdeploy, base.Postdeploy),
		Firstdeploy: pick(h.Firstdeploy, base.Firstdeploy),
		Clean:       pick(h.Clean, base.Clean),
	}
}

func (f FunctionSettings) over(base FunctionSettings) FunctionSettings {
	merged := FunctionSettings{
		Command:     cmp.Or(f.Command, base.Command),
		Handler:     cmp.Or(f.Handler, base.Handler),
		Runtime:     cmp.Or(f.Runtime, base.Runtime),
		Format:      cmp.Or(f.Format, base.Format),
		Env:         join(f.Env, base.Env),
		Events:      pick(f.Events, base.Events),
		EventPath:   cmp.Or(f.EventPath, base.EventPath),
		Memory:      cmp.Or(f.Memory, base.Memory),
		CPU:         cmp.Or(f.CPU, base.CPU),
		Instances:   base.Instances,
		Max:         cmp.Or(f.Max, base.Max),
		Off:         base.Off,
		Target:      base.Target,
		Concurrency: base.Concurrency,
		Queue:       cmp.Or(f.Queue, base.Queue),
		Idle:        base.Idle,
		NeverIdle:   base.NeverIdle,
		Network:     pick(f.Network, base.Network),
		Timeout:     cmp.Or(f.Timeout, base.Timeout),
		Drain:       cmp.Or(f.Drain, base.Drain),
		Health:      f.Health.over(base.Health),
		URL:         f.URL.over(base.URL),
		Uses:        pick(f.Uses, base.Uses),
		Lambda:      f.Lambda.over(base.Lambda),
		Async:       asyncOver(f.Async, base.Async),
	}
	if f.Off || f.Instances > 0 { // one statement in two fields
		merged.Instances, merged.Off = f.Instances, f.Off
	}
	if f.Concurrency > 0 || f.Target > 0 {
		merged.Concurrency, merged.Target = f.Concurrency, f.Target
	}
	if f.Idle > 0 || f.NeverIdle {
		merged.Idle, merged.NeverIdle = f.Idle, f.NeverIdle
	}
	return merged
}

func (h Health) over(base Health) Health {
	return Health{Path: cmp.Or(h.Path, base.Path), Timeout: cmp.Or[aloft.Duration](h.Timeout, base.Timeout)}
}

func (s *Static) over(base *Static) *Static {
	if s == nil {
		s = base
	}
	if s == nil {
		return nil
	}
	c := *s
	return &c
}

// pick returns a copy of top unless it is nil, "not said".
func pick(top, base []string) []string {
	if top != nil {
		return slices.Clone(top)
	}
	return slices.Clone(base)
}

func join(top, base map[string]string) map[string]string {
	if len(top)+len(base) == 0 {
		return nil
	}
	merged := map[string]string{}
	maps.Copy(merged, base)
	maps.Copy(merged, top)
	return merged
}
