package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// diff lists what differs between two releases in code, functions and their environment.
func diff(old, next aloft.Release) []aloft.Change {
	var changes []aloft.Change
	if old.Artifact.Digest != next.Artifact.Digest {
		c := aloft.Change{Action: aloft.Modify, Kind: "code", Name: "artifact", Before: describe(old.Artifact), After: describe(next.Artifact)}
		if old.Artifact.Digest == "" {
			c.Action = aloft.Add
		}
		changes = append(changes, c)
	}
	before, after := byName(shown(old)), byName(shown(next))
	for _, name := range names(before, after) {
		a, had := before[name]
		b, has := after[name]
		switch {
		case !had:
			changes = append(changes, aloft.Change{Action: aloft.Add, Kind: "function", Name: name, After: summary(b)})
		case !has:
			changes = append(changes, aloft.Change{Action: aloft.Remove, Kind: "function", Name: name, Before: summary(a)})
		default:
			changes = append(changes, functionDiff(a, b)...)
		}
	}
	return append(changes, routeDiff(old.Tuned(), next.Tuned())...)
}

// shown are the functions of a release as a plan shows them: on AWS without how many instances run, which Lambda decides.
func shown(r aloft.Release) []aloft.Function {
	all := r.Tuned()
	if r.AWS != nil {
		for i := range all {
			all[i].Instances, all[i].Max = 0, 0
		}
	}
	return all
}

// routeDiff lists the requests that go elsewhere than before.
func routeDiff(old, next []aloft.Function) []aloft.Change {
	var changes []aloft.Change
	before, after := requestsOf(old), requestsOf(next)
	for _, pattern := range names(before, after) {
		a, had := before[pattern]
		b, has := after[pattern]
		if a != b {
			changes = append(changes, aloft.Change{Action: action(had, has), Kind: "route", Name: pattern, Before: a, After: b})
		}
	}
	return changes
}

// requestsOf are the functions that requests go to, by pattern.
func requestsOf(functions []aloft.Function) map[string]string {
	all := map[string]string{}
	for _, f := range functions {
		switch f.Kind {
		case aloft.Handler:
			for _, pattern := range f.Patterns() {
				all[pattern] = f.Name
			}
		case aloft.Web:
			all["all other requests"] = f.Name
		case aloft.Static:
			all["files at "+cmp.Or(f.Prefix, "/")] = f.Name
		case aloft.Worker:
		}
	}
	return all
}

func functionDiff(a, b aloft.Function) []aloft.Change {
	var changes []aloft.Change
	for _, k := range names(a.Env, b.Env) {
		before, had := a.Env[k]
		after, has := b.Env[k]
		if had != has || before != after {
			changes = append(changes, aloft.Change{Action: action(had, has), Kind: "env", Name: b.Name + "." + k})
		}
	}
	a.Env, b.Env = nil, nil
	a.Routes, b.Routes = nil, nil // changes of their own
	if !reflect.DeepEqual(a, b) {
		changes = append(changes, aloft.Change{Action: aloft.Modify, Kind: "function", Name: b.Name, Before: summary(a), After: summary(b)})
	}
	return changes
}

// action is what happens to something that differs.
func action(had, has bool) aloft.Action {
	switch {
	case !had:
		return aloft.Add
	case !has:
		return aloft.Remove
	}
	return aloft.Modify
}

// toGenerate lists the secrets that a deploy would make because app.json asks for them.
func toGenerate(state state, p project) []aloft.Change {
	var changes []aloft.Change
	for _, v := range p.settings.Required {
		if _, set := state.config[v.Name]; v.Generate && !set {
			changes = append(changes, aloft.Change{Action: aloft.Add, Kind: "config", Name: v.Name, After: "generated"})
		}
	}
	return changes
}

func byName(functions []aloft.Function) map[string]aloft.Function {
	m := map[string]aloft.Function{}
	for _, f := range functions {
		m[f.Name] = f
	}
	return m
}

// names returns the keys of both maps, sorted.
func names[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func describe(a aloft.Artifact) string {
	if a.Digest == "" {
		return ""
	}
	files := "files"
	if a.Files == 1 {
		files = "file"
	}
	return fmt.Sprintf("%s, %d %s, %s", a.Short(), a.Files, files, aloft.SizeText(a.Size))
}

// summary is a function in one line, for people.
func summary(f aloft.Function) string {
	parts := []string{string(f.Kind)}
	switch command := f.Command; {
	case len(command) == 3 && command[1] == "-c":
		parts = append(parts, strings.TrimPrefix(command[2], "exec "))
	case len(command) > 0:
		parts = append(parts, strings.Join(command, " "))
	}
	if f.Handler != "" {
		parts = append(parts, f.Handler, f.Runtime)
	}
	if f.Kind == aloft.Static {
		parts = append(parts, f.Prefix+" from "+"/"+f.Root)
	}
	if len(f.EventSources) > 0 {
		parts = append(parts, "events from "+strings.Join(f.EventSources, ", "))
	}
	if len(f.Uses) > 0 {
		parts = append(parts, "uses "+strings.Join(f.Uses, ", "))
	}
	if f.URL != nil {
		parts = append(parts, urlText(*f.URL))
	}
	switch {
	case f.Max > f.Instances:
		parts = append(parts, fmt.Sprintf("%d to %d instances", max(1, f.Instances), f.Max))
	case f.Instances > 1:
		parts = append(parts, fmt.Sprintf("%d instances", f.Instances))
	}
	if f.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%d MB", f.Memory))
	}
	if f.Timeout > 0 {
		parts = append(parts, "timeout "+f.Timeout.String())
	}
	return strings.Join(parts, " · ")
}
