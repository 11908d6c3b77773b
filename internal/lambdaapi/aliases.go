package lambdaapi

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/aloft-run/aloft"
)

// Aliases are the server's (aloft.AliasStore), of one function. Only one for $LATEST, which no other alias may be, is kept in
// the function's record; its Version is 0.

// said is an alias as clients read it.
func said(t *target, of aloft.Alias) map[string]any {
	result := map[string]any{
		"AliasArn": arn(t.name, of.Name), "Name": of.Name, "FunctionVersion": versionText(of.Version), "Description": of.Description, "RevisionId": of.Revision,
	}
	if len(of.Weights) > 0 {
		weights := map[string]float64{}
		for version, share := range of.Weights {
			weights[strconv.Itoa(version)] = share
		}
		result["RoutingConfig"] = routing{weights}
	}
	return result
}

func versionText(version int) string {
	if version == 0 {
		return latest
	}
	return strconv.Itoa(version)
}

type routing struct {
	AdditionalVersionWeights map[string]float64
}

// aliasChange is the body of CreateAlias and UpdateAlias. What is not there stays.
type aliasChange struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RoutingConfig   *routing
	RevisionID      string `json:"RevisionId"`
}

// apply returns the alias with what is said.
func (in aliasChange) apply(to aloft.Alias) (aloft.Alias, error) {
	if in.Description != nil {
		to.Description = *in.Description
	}
	if in.FunctionVersion != nil {
		version, ok := versionOf(*in.FunctionVersion)
		if !ok && *in.FunctionVersion != latest {
			return to, invalid("%q is no version.", *in.FunctionVersion)
		}
		to.Version = version
	}
	if in.RoutingConfig != nil {
		to.Weights = map[int]float64{}
		for text, share := range in.RoutingConfig.AdditionalVersionWeights {
			version, ok := versionOf(text)
			if !ok {
				return to, invalid("%q is no published version: an alias with weights needs two.", text)
			}
			if share > 0 {
				to.Weights[version] = share
			}
		}
	}
	if len(to.Weights) > 0 && to.Version == 0 {
		return to, invalid("$LATEST is no published version: an alias with weights needs two.")
	}
	return to, nil
}

// aliases returns a function's aliases by name.
func (a *API) aliases(ctx context.Context, t *target) ([]aloft.Alias, error) {
	stored, err := a.Apps.Aliases(ctx, t.stage.StageRef)
	if err != nil {
		return nil, err
	}
	list := slices.Collect(maps.Values(t.record.Latest))
	for _, alias := range stored {
		own, ok := aloft.FindAlias(stored, t.function.Name, alias.Name)
		if ok && own.Function == alias.Function && alias.Name != aloft.CurrentAlias {
			list = append(list, alias)
		}
	}
	slices.SortFunc(list, func(x, y aloft.Alias) int { return cmp.Compare(x.Name, y.Name) })
	return list, nil
}

// alias returns the alias of a name; ok is false if there is none.
func (a *API) alias(ctx context.Context, t *target, name string) (found aloft.Alias, ok bool, err error) {
	list, err := a.aliases(ctx, t)
	found, ok = aloft.FindAlias(list, t.function.Name, name)
	return found, ok, err
}

// aliasOf returns the alias that a request names.
func (a *API) aliasOf(r *http.Request) (*target, aloft.Alias, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, aloft.Alias{}, err
	}
	found, ok, err := a.alias(r.Context(), t, r.PathValue("alias"))
	if err == nil && !ok {
		err = notFound("Cannot find alias arn: %s", arn(t.name, r.PathValue("alias")))
	}
	return t, found, err
}

// putAlias stores an alias in the place of another, or of none.
func (a *API) putAlias(ctx context.Context, t *target, old *aloft.Alias, next aloft.Alias) (aloft.Alias, error) {
	for _, version := range next.Versions() {
		at := *t
		at.qualifier = strconv.Itoa(version)
		if err := a.qualify(ctx, &at); err != nil {
			return next, err
		}
	}
	own := old != nil && old.Function == next.Function
	if next.Version == 0 {
		if err := aloft.CheckAliasName(next.Name); err != nil {
			return next, err
		}
		err := a.change(ctx, t, func(rec *record) error {
			next.Revision = revision(t.name, next.Name, rec.Created.UnixNano(), rec.Revision)
			put(&rec.Latest, next.Name, next)
			return nil
		})
		if err == nil && own && old.Version != 0 {
			err = a.Deployer.DeleteAlias(ctx, next.StageRef, next.Function, next.Name)
		}
		return next, err
	}
	if own && old.Version != 0 {
		return a.Deployer.UpdateAlias(ctx, next)
	}
	next.Revision = ""
	made, err := a.Deployer.CreateAlias(ctx, next)
	if err == nil && own {
		err = a.change(ctx, t, func(rec *record) error { delete(rec.Latest, next.Name); return nil })
	}
	return made, err
}

func (a *API) createAlias(r *http.Request) (any, error) {
	in, t, err := with[aliasChange](a, r)
	if err != nil {
		return nil, err
	}
	if in.FunctionVersion == nil {
		return nil, invalid("FunctionVersion is mandatory.")
	}
	old, ok, err := a.alias(r.Context(), t, in.Name)
	switch {
	case err != nil:
		return nil, err
	case ok && old.Function == t.function.Name:
		return nil, conflict("Alias already exists: %s", arn(t.name, in.Name))
	}
	next, err := in.apply(aloft.Alias{StageRef: t.stage.StageRef, Function: t.function.Name, Name: in.Name})
	if err != nil {
		return nil, err
	}
	made, err := a.putAlias(r.Context(), t, nil, next)
	return said(t, made), err
}

func (a *API) updateAlias(r *http.Request) (any, error) {
	in, err := read[aliasChange](r)
	if err != nil {
		return nil, err
	}
	t, old, err := a.aliasOf(r)
	if err != nil {
		return nil, err
	}
	if err := fresh(in.RevisionID, old.Revision); err != nil {
		return nil, err
	}
	next, err := in.apply(old.Clone())
	if err != nil {
		return nil, err
	}
	next.Function = t.function.Name
	made, err := a.putAlias(r.Context(), t, &old, next)
	return said(t, made), err
}

func (a *API) getAlias(r *http.Request) (any, error) {
	t, found, err := a.aliasOf(r)
	if err != nil {
		return nil, err
	}
	return said(t, found), nil
}

// deleteAlias is no error if there is no such alias.
func (a *API) deleteAlias(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	old, ok, err := a.alias(r.Context(), t, r.PathValue("alias"))
	switch {
	case err != nil || !ok:
		return nil, err
	case old.Version == 0:
		return nil, a.change(r.Context(), t, func(rec *record) error { delete(rec.Latest, old.Name); return nil })
	}
	return nil, a.Deployer.DeleteAlias(r.Context(), old.StageRef, old.Function, old.Name)
}

func (a *API) listAliases(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	all, err := a.aliases(r.Context(), t)
	if err != nil {
		return nil, err
	}
	list, version := []any{}, r.URL.Query().Get("FunctionVersion")
	for _, alias := range all {
		if version == "" || versionText(alias.Version) == version {
			list = append(list, said(t, alias))
		}
	}
	return page(r, "Aliases", list, 50)
}
