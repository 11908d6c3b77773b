package deploy

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// functions are what a project runs, with event sources as its stage has them. What there is to say of runtimes is reported, unless
// the platform does, or nothing is to run.
func (d *Deployer) functions(ctx context.Context, p *project, plan buildpack.Plan, tree fs.FS, report aloft.Reporter) ([]aloft.Function, error) {
	all, err := p.functions(plan, tree)
	if d.AWS == nil && d.Platform != nil {
		warnOfRuntimes(all, report)
	}
	if err == nil {
		err = d.ownSources(p.ref, all)
	}
	for _, f := range all {
		if err == nil {
			err = checkDeclared(f.Name, f.EventSources, func(kind, name string) bool { return p.settings.Resources[name].Type == kind })
		}
	}
	if err == nil {
		err = d.allowed(ctx, p.ref, all...)
	}
	return all, err
}

// checkDeclared refuses sources that are resources of the app which it does not declare.
func checkDeclared(function string, sources []string, declared func(kind, name string) bool) error {
	for _, text := range sources {
		kind, name, _ := strings.Cut(eventsource.Bare(text), ":")
		switch kind {
		case aloft.Queue, aloft.Topic, aloft.Bucket, aloft.Stream, aloft.Table:
			if !declared(kind, name) {
				return aloft.Errorf(aloft.Invalid, "%s has the event source %s, but the app has no %s %q", function, text, kind, name).
					WithHint("declare it in the resources section of aloft.yml: %s: %s", name, kind)
			}
		}
	}
	return nil
}

// allowed refuses functions with sources that a stage may not have.
func (d *Deployer) allowed(ctx context.Context, ref aloft.StageRef, functions ...aloft.Function) error {
	if d.Allowed == nil {
		return nil
	}
	for _, f := range functions {
		for _, text := range f.EventSources {
			if err := d.Allowed(ctx, ref, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// declares reports whether a release has a resource.
func declares(r aloft.Release) func(kind, name string) bool {
	return func(kind, name string) bool {
		return slices.ContainsFunc(r.Resources, func(one aloft.Resource) bool { return one.Type == kind && one.Name == name })
	}
}

// ownSources writes the sources of functions as a stage has them: what an ARN calls by its name on this server becomes the app's own.
func (d *Deployer) ownSources(ref aloft.StageRef, all []aloft.Function) error {
	for i, f := range all {
		var own []string
		for _, text := range f.EventSources {
			source, err := d.Sources.Parse(ref, text)
			if err != nil {
				return err
			}
			if !slices.Contains(own, source.String()) {
				own = append(own, source.String())
			}
		}
		all[i].EventSources = own
		if err := checkSources(ref, f, own); err != nil {
			return err
		}
	}
	return nil
}

// checkSources refuses sources of functions that take no events, and two ways from one queue or stream to a function.
func checkSources(ref aloft.StageRef, f aloft.Function, sources []string) error {
	if len(sources) > 0 && f.Kind != aloft.Handler && f.Kind != aloft.Web {
		return aloft.Errorf(aloft.Invalid, "%s is a %s function, which takes no events", f.Name, f.Kind).WithHint("event sources are for handlers and web functions")
	}
	seen := map[string]string{}
	for _, text := range sources {
		bare := eventsource.Bare(text)
		kind, _, _ := strings.Cut(bare, ":")
		single := slices.Contains([]string{aloft.Queue, aloft.Stream, aloft.Table}, kind)
		if other, twice := seen[bare]; twice && single {
			return aloft.Errorf(aloft.Invalid, "%s has both %s and %s", f.Name, other, text).
				WithHint("each event goes one of the two ways only; remove one: aloft event-sources remove %s '%s' --stage %s", f.Name, other, ref.Stage)
		}
		seen[bare] = text
	}
	return nil
}

// resolveSources makes the sources in a change canonical, and finds those to remove, which may be named without options.
func (d *Deployer) resolveSources(ctx context.Context, r aloft.Release, input aloft.TuneInput) (aloft.TuneInput, error) {
	input.Set = maps.Clone(input.Set)
	for name, t := range input.Set {
		if t.Sources == nil {
			continue
		}
		f, err := functionNamed(r, name)
		if err != nil {
			return input, err
		}
		now := r.Tuning[name].Apply(f).EventSources
		change := aloft.Sources{Clear: t.Sources.Clear}
		for _, text := range t.Sources.Remove {
			found, err := d.sourceNamed(f.Name, r.StageRef, now, text)
			if err != nil {
				return input, err
			}
			change.Remove = append(change.Remove, found)
		}
		for _, text := range t.Sources.Add {
			source, err := d.Sources.Parse(r.StageRef, text)
			if err != nil {
				return input, err
			}
			change.Add = append(change.Add, source.String())
		}
		if err := checkDeclared(f.Name, change.Add, declares(r)); err != nil {
			return input, err
		}
		if err := d.allowed(ctx, r.StageRef, aloft.Function{EventSources: change.Add}); err != nil {
			return input, err
		}
		t.Sources = &change
		input.Set[name] = t
	}
	return input, nil
}

// sourceNamed finds a source that a function has.
func (d *Deployer) sourceNamed(function string, ref aloft.StageRef, now []string, text string) (string, error) {
	wanted := text
	if source, err := d.Sources.Parse(ref, text); err == nil {
		wanted = source.String()
	}
	if slices.Contains(now, wanted) {
		return wanted, nil
	}
	var like []string
	for _, s := range now {
		if eventsource.Bare(s) == wanted {
			like = append(like, s)
		}
	}
	if len(like) == 1 {
		return like[0], nil
	}
	e := aloft.Errorf(aloft.NotFound, "%s has no event source %s", function, text)
	switch {
	case len(like) > 1:
		return "", aloft.Errorf(aloft.Invalid, "%s has several event sources %s", function, text).WithHint("name one of %s", strings.Join(like, ", "))
	case len(now) == 0:
		return "", e.WithHint("it has none")
	}
	return "", e.WithHint("it has %s", strings.Join(now, ", "))
}

// settleSources leaves only what makes a difference to what the source of the function says now.
func settleSources(f aloft.Function, t aloft.Tuning) aloft.Tuning {
	if t.Sources == nil {
		return t
	}
	s := aloft.Sources{Remove: slices.Clone(t.Sources.Remove)}
	if t.Sources.Clear {
		s.Remove = slices.Clone(f.EventSources)
	}
	s.Remove = slices.DeleteFunc(s.Remove, func(text string) bool {
		return !slices.Contains(f.EventSources, text) || slices.Contains(t.Sources.Add, text)
	})
	for _, text := range t.Sources.Add {
		if !slices.Contains(f.EventSources, text) {
			s.Add = append(s.Add, text)
		}
	}
	if t.Sources = &s; len(s.Add)+len(s.Remove) == 0 {
		t.Sources = nil
	}
	return t
}
