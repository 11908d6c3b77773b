package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Plan builds and says what Deploy would change; see [aloft.Deployer].
func (d *Deployer) Plan(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Plan, error) {
	project, err := d.open(input, report)
	if err != nil {
		return aloft.Plan{}, err
	}
	build, unpin, err := d.build(ctx, &project, input.Force, report)
	if err != nil {
		return aloft.Plan{}, err
	}
	defer unpin()
	plan := aloft.Plan{Stage: project.ref, Build: build}
	state, err := d.load(ctx, project.ref)
	switch {
	case aloft.ErrorCode(err) == aloft.NotFound:
		plan.Changes = append(plan.Changes, aloft.Change{Action: aloft.Add, Kind: "stage", Name: project.ref.String(), After: d.URL(project.ref)})
	case err != nil:
		return aloft.Plan{}, err
	}
	plan.Current = state.stage.Current
	resources, err := project.settings.Declared()
	if err != nil {
		return aloft.Plan{}, err
	}
	next := aloft.Release{Artifact: build.Artifact, Functions: build.Functions, Resources: resources, Tuning: state.current.Tuning}
	if err := d.place(ctx, &next, project, state.stage); err != nil {
		return aloft.Plan{}, err
	}
	plan.Changes = append(plan.Changes, diff(state.current, next)...)
	plan.Changes = append(plan.Changes, awsDiff(state.current, next)...)
	plan.Changes = append(plan.Changes, resourceDiff(project.ref, state.current.Resources, resources)...)
	plan.Changes = append(plan.Changes, toGenerate(state, project)...)
	plan.ID, err = planID(plan, state, next)
	return plan, err
}

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
	before, after := byName(old.Tuned()), byName(next.Tuned())
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
	return changes
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
	return fmt.Sprintf("%s, %d %s, %s", a.Short(), a.Files, files, sized(a.Size))
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

// planID names the state a plan was made against and the state it leads to.
func planID(plan aloft.Plan, state state, next aloft.Release) (string, error) {
	text, err := json.Marshal(struct {
		Stage   aloft.StageRef
		Current int
		Config  aloft.SealedConfig
		Code    string
		What    []aloft.Function
		Tuning  map[string]aloft.Tuning
		Uses    []aloft.Resource
		AWS     *aloft.AWS `json:",omitempty"`
	}{plan.Stage, plan.Current, state.current.Config, plan.Build.Artifact.Digest, plan.Build.Functions, state.current.Tuning, next.Resources, next.AWS})
	if err != nil {
		return "", fmt.Errorf("name the plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6]), nil
}
