package lambdaapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

// target is a function that a request names.
type target struct {
	name      string // as Lambda has it
	qualifier string // as the request has it; "" for none
	isAlias   bool   // the qualifier is an alias
	latest    bool   // the alias is of $LATEST
	stage     aloft.Stage
	release   aloft.Release // the qualifier's
	function  aloft.Function
	record    record
}

// own reports whether the function was created here.
func (t *target) own() bool { return t.function.LambdaName != "" }

// version is the version that the target is.
func (t *target) version() string {
	if t.qualifier == "" || t.qualifier == latest || t.latest {
		return latest
	}
	return strconv.Itoa(t.release.Version)
}

// found returns the function that a request's path names, and its qualifier.
func (a *API) found(r *http.Request) (*target, error) {
	return a.find(r.Context(), r.PathValue("name"), r.URL.Query().Get("Qualifier"))
}

// find returns the function that text names.
func (a *API) find(ctx context.Context, text, qualifier string) (*target, error) {
	name, own, err := parseName(text)
	if err != nil {
		return nil, err
	}
	switch {
	case qualifier == "":
		qualifier = own
	case !qualifierPattern.MatchString(qualifier):
		return nil, invalid("%q is no qualifier.", qualifier)
	case own != "" && own != qualifier:
		return nil, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	t, err := a.latest(ctx, name)
	if err != nil {
		return nil, err
	}
	t.qualifier = qualifier
	return t, a.qualify(ctx, t)
}

// qualify makes t what its qualifier names.
func (a *API) qualify(ctx context.Context, t *target) error {
	if t.qualifier == "" || t.qualifier == latest {
		return nil
	}
	version, ok := versionOf(t.qualifier)
	if !ok {
		alias, isAlias, err := a.alias(ctx, t, t.qualifier)
		if err != nil {
			return err
		}
		if !isAlias && t.qualifier != aloft.CurrentAlias && t.qualifier != t.stage.Stage {
			return noFunction(t.name, t.qualifier)
		}
		if version, t.isAlias, t.latest = alias.Version, true, alias.Version == 0; t.latest {
			return nil
		}
	}
	release, err := a.Apps.Release(ctx, t.stage.StageRef, version)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return noFunction(t.name, t.qualifier)
	}
	if err != nil {
		return err
	}
	f, ok := functionOf(release, t.name)
	if !ok || !t.isAlias && !t.published(release) {
		return noFunction(t.name, t.qualifier)
	}
	t.release, t.function = release, f
	return nil
}

// published reports whether a release is a version: those of functions that aloft deployed are, of others the published ones.
func (t *target) published(release aloft.Release) bool {
	if release.Status != aloft.Succeeded {
		return false
	}
	_, ok := t.record.Versions[strconv.Itoa(release.Version)]
	return ok || !t.own()
}

// latest returns a function as it is now.
func (a *API) latest(ctx context.Context, name string) (*target, error) {
	r, ok, err := load[record](ctx, a.Docs, recordPrefix+name)
	if err != nil {
		return nil, err
	}
	if ok {
		if t, err := a.targetAt(ctx, r.StageRef, name); err == nil && t.stage.CreatedAt.Equal(r.Created) {
			t.record = r
			return t, nil
		}
	}
	stages, err := a.Apps.Stages(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		if !strings.HasPrefix(name, stage.App+"-") && stage.App != appName(name) {
			continue
		}
		if t, err := a.targetAt(ctx, stage.StageRef, name); err == nil {
			return t, nil
		}
	}
	return nil, noFunction(name, "")
}

// targetAt returns the function of a stage's current release that has a name.
func (a *API) targetAt(ctx context.Context, ref aloft.StageRef, name string) (*target, error) {
	stage, err := a.Apps.Stage(ctx, ref)
	if err != nil {
		return nil, err
	}
	if stage.Current == 0 {
		return nil, noFunction(name, "")
	}
	release, err := a.Apps.Release(ctx, ref, stage.Current)
	if err != nil {
		return nil, err
	}
	f, ok := functionOf(release, name)
	if !ok {
		return nil, noFunction(name, "")
	}
	return &target{name: name, stage: stage, release: release, function: f}, nil
}

// functionOf is the handler function of a release that has a name.
func functionOf(release aloft.Release, name string) (aloft.Function, bool) {
	all := release.Tuned()
	i := slices.IndexFunc(all, func(f aloft.Function) bool { return f.Kind == aloft.Handler && release.NameOf(f) == name })
	if i < 0 {
		return aloft.Function{}, false
	}
	return all[i], true
}

// all returns all functions as they are now, by name. A stage or a function that cannot be read is left out, and said once.
func (a *API) all(ctx context.Context) ([]*target, error) {
	stages, err := a.Apps.Stages(ctx, "")
	if err != nil {
		return nil, err
	}
	var list []*target
	for _, stage := range stages {
		if stage.Current == 0 {
			continue
		}
		some, err := a.allOf(ctx, stage)
		if err != nil {
			err = a.leaveOut(ctx, stage.String(), err)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	slices.SortFunc(list, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// allOf returns all functions of a stage.
func (a *API) allOf(ctx context.Context, stage aloft.Stage) (list []*target, err error) {
	release, err := a.Apps.Release(ctx, stage.StageRef, stage.Current)
	if err != nil {
		return nil, err
	}
	for _, f := range release.Tuned() {
		if f.Kind != aloft.Handler {
			continue
		}
		t := &target{name: stage.NameOf(f), stage: stage, release: release, function: f}
		r, ok, err := load[record](ctx, a.Docs, recordPrefix+t.name)
		if err != nil {
			if err := a.leaveOut(ctx, t.name, err); err != nil {
				return nil, err
			}
			continue
		}
		if ok && r.Created.Equal(stage.CreatedAt) {
			t.record = r
		}
		list = append(list, t)
	}
	return list, nil
}

// leaveOut returns an error that concerns more than one stage or function, and says of another one that it cannot be read.
func (a *API) leaveOut(ctx context.Context, name string, err error) error {
	if code := aloft.ErrorCode(err); ctx.Err() != nil || code == aloft.Unavailable || code == aloft.Canceled {
		return err
	}
	if _, said := a.leftOut.LoadOrStore(name, true); !said && !missing(err) && a.Logger != nil {
		a.Logger.Error("functions cannot be read, and are left out", "of", name, "error", err)
	}
	return nil
}
