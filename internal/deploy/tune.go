package deploy

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// What a function may be given; the manifest has the same bounds.
const (
	maxInstances = 10_000
	maxMemory    = 1 << 20 // MB
	maxTimeout   = aloft.Duration(24 * time.Hour)
)

// Tune changes what operators set of functions in one release; see [aloft.Deployer].
func (d *Deployer) Tune(ctx context.Context, input aloft.TuneInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	ctx, unlock, err := d.lockStage(ctx, input.Stage, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	state, err := d.deployed(ctx, input.Stage)
	if err != nil {
		return aloft.Deployment{}, err
	}
	next := state.current.Clone()
	if input, err = d.resolveSources(ctx, next, input); err != nil {
		return aloft.Deployment{}, err
	}
	if next.Tuning, err = tuned(next, input); err != nil {
		return aloft.Deployment{}, err
	}
	if reflect.DeepEqual(next.Tuning, state.current.Clone().Tuning) {
		return aloft.Deployment{Release: state.current, URL: d.URL(input.Stage), Unchanged: true, Elapsed: time.Since(began)}, nil
	}
	next.Kind, next.Status, next.Reason = aloft.TuneRelease, aloft.Pending, ""
	next.Author, next.Description = input.Author, tuneText(input)
	deployment, err := d.release(ctx, state, next, hooks{}, report)
	deployment.Elapsed = time.Since(began)
	return deployment, err
}

// deployed is the state of a stage that has code.
func (d *Deployer) deployed(ctx context.Context, ref aloft.StageRef) (state, error) {
	state, err := d.load(ctx, ref)
	if err == nil && state.current.Artifact.Digest == "" {
		err = aloft.Errorf(aloft.NotFound, "nothing is deployed to %s", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	return state, err
}

// tuned is the tuning of a release after a change, nil if nothing is set.
func tuned(r aloft.Release, input aloft.TuneInput) (map[string]aloft.Tuning, error) {
	all := maps.Clone(r.Tuning)
	if all == nil {
		all = map[string]aloft.Tuning{}
	}
	for name, fields := range input.Reset {
		if _, err := functionNamed(r, name); err != nil && all[name].Fields() == nil {
			return nil, err
		}
		all[name] = all[name].Without(fields)
	}
	for name, t := range input.Set {
		f, err := functionNamed(r, name)
		if err != nil {
			return nil, err
		}
		all[name] = settleSources(f, t.Over(all[name]))
		if err := checkTuning(r.StageRef, f, t, all[name].Apply(f)); err != nil {
			return nil, err
		}
	}
	maps.DeleteFunc(all, func(_ string, t aloft.Tuning) bool { return t.Fields() == nil })
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

func functionNamed(r aloft.Release, name string) (aloft.Function, error) {
	var names []string
	for _, f := range r.Functions {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return aloft.Function{}, aloft.Errorf(aloft.NotFound, "%s has no function %q", r.StageRef, name).
		WithHint("its functions are %s", strings.Join(names, ", "))
}

// checkTuning refuses what a function of its kind cannot have. After is the function with all of its tuning.
func checkTuning(ref aloft.StageRef, f aloft.Function, t aloft.Tuning, after aloft.Function) error {
	refuse := func(format string, args ...any) *aloft.Error {
		return aloft.Errorf(aloft.Invalid, "%s: %s", f.Name, fmt.Sprintf(format, args...))
	}
	if t.Scale != nil {
		if err := checkScale(ref, f, *t.Scale, refuse); err != nil {
			return err
		}
	}
	switch {
	case f.Kind == aloft.Static:
		return refuse("files have no instances").WithHint("only functions that run can be scaled and limited")
	case t.Memory < 0 || t.Memory > maxMemory:
		return refuse("memory is from 1 to %d MB", maxMemory)
	case t.Timeout < 0 || t.Timeout > maxTimeout:
		return refuse("a timeout is above 0 and up to 24h")
	case min(t.Concurrency.Soft, t.Concurrency.Hard) < 0 || max(t.Concurrency.Soft, t.Concurrency.Hard) > maxInstances:
		return refuse("concurrency is from 1 to %d", maxInstances)
	case f.Kind == aloft.Worker && t.Sources != nil:
		return refuse("a worker takes no events").WithHint("event sources are for handlers and web functions")
	case f.Kind == aloft.Worker && (t.Timeout != 0 || t.Concurrency != aloft.Concurrency{}):
		return refuse("a worker takes no requests").WithHint("timeout and concurrency are for web functions")
	case f.Kind == aloft.Handler && t.Concurrency != aloft.Concurrency{}:
		return refuse("an instance of a handler works on one event at a time").WithHint("for more at once: aloft scale %s=1..20 --stage %s", f.Name, ref.Stage)
	case after.Concurrency > 0 && after.Target > after.Concurrency:
		return refuse("the soft limit is %d, more than the hard one, %d", after.Target, after.Concurrency).WithHint("for example: 10..20")
	}
	return checkSources(ref, f, after.EventSources)
}

func checkScale(ref aloft.StageRef, f aloft.Function, s aloft.Scale, refuse func(string, ...any) *aloft.Error) error {
	switch {
	case min(s.Min, s.Max) < 0 || max(s.Min, s.Max) > maxInstances:
		return refuse("there can be 0 to %d instances", maxInstances)
	case s.Min > s.Max:
		return refuse("at least %d and at most %d instances contradict each other", s.Min, s.Max)
	case f.Kind == aloft.Worker && s.Min != s.Max:
		return refuse("a worker has no requests to follow, so it has a fixed number of instances").WithHint("for example: aloft scale %s=%d --stage %s", f.Name, s.Max, ref.Stage)
	case f.Kind != aloft.Worker && s.Max == 0:
		return refuse("only workers can be turned off alone").WithHint("aloft stop ends the whole stage; idle in aloft.yml ends it between requests")
	case f.Kind != aloft.Worker && s.Min == 0:
		return refuse("at least one instance runs while there are requests").WithHint("for example: aloft scale %s=1..%d --stage %s; idle in aloft.yml ends the last one between requests", f.Name, s.Max, ref.Stage)
	}
	return nil
}

// tuneText says what a change is, in a line.
func tuneText(input aloft.TuneInput) string {
	var what []string
	for _, name := range slices.Sorted(maps.Keys(input.Reset)) {
		for _, field := range input.Reset[name] {
			what = append(what, fmt.Sprintf("%s %s as the source has it", field, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(input.Set)) {
		t := input.Set[name]
		for _, field := range t.Fields() {
			what = append(what, fmt.Sprintf("%s %s=%s", field, name, t.Text(field)))
		}
	}
	return strings.Join(what, ", ")
}

// Restart replaces all instances of a stage by new ones; see [aloft.Operator].
func (d *Deployer) Restart(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	ctx, unlock, err := d.lockStage(ctx, ref, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	state, err := d.deployed(ctx, ref)
	if err != nil {
		return aloft.Deployment{}, err
	}
	if err := d.again(ctx, state, report); err != nil {
		return aloft.Deployment{}, err
	}
	isolation, level := d.isolation()
	return aloft.Deployment{
		Release: state.current, URL: d.URL(ref), Elapsed: time.Since(began),
		Isolation: isolation, Level: level,
	}, nil
}
