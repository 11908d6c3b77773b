package lambdaapi

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// alias is a name for a version, or for two with weights.
type alias struct {
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *routing `json:",omitempty"`
	RevisionID      string   `json:"RevisionId"`
}

type routing struct {
	AdditionalVersionWeights map[string]float64
}

// weights are those of the versions besides the alias's own.
func (a alias) weights() map[string]float64 {
	if a.RoutingConfig == nil {
		return nil
	}
	return a.RoutingConfig.AdditionalVersionWeights
}

// said is an alias as clients read it.
func (a alias) said(name string) map[string]any {
	result := map[string]any{
		"AliasArn": arn(name, a.Name), "Name": a.Name, "FunctionVersion": a.FunctionVersion, "Description": a.Description, "RevisionId": a.RevisionID,
	}
	if len(a.weights()) > 0 {
		result["RoutingConfig"] = a.RoutingConfig
	}
	return result
}

// aliasChange is the body of CreateAlias and UpdateAlias. What is not there stays.
type aliasChange struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RoutingConfig   *routing
	RevisionID      string `json:"RevisionId"`
}

// An alias is no number.
var aliasPattern = regexp.MustCompile(`^[a-zA-Z0-9-_]*[a-zA-Z-_][a-zA-Z0-9-_]*$`)

func (a *API) createAlias(r *http.Request) (any, error) {
	in, t, err := with[aliasChange](a, r)
	if err != nil {
		return nil, err
	}
	if !aliasPattern.MatchString(in.Name) || len(in.Name) > 128 {
		return nil, invalid("%q is no name of an alias.", in.Name)
	}
	if in.FunctionVersion == nil {
		return nil, invalid("FunctionVersion is mandatory.")
	}
	var made alias
	err = a.change(r.Context(), t, func(rec *record) error {
		if _, exists := rec.Aliases[in.Name]; exists {
			return conflict("Alias already exists: %s", arn(t.name, in.Name))
		}
		made, err = a.setAlias(r, t, rec, alias{Name: in.Name}, in)
		return err
	})
	return made.said(t.name), err
}

// setAlias changes an alias and puts it into the record.
func (a *API) setAlias(r *http.Request, t *target, rec *record, to alias, in aliasChange) (alias, error) {
	if in.FunctionVersion != nil {
		to.FunctionVersion = *in.FunctionVersion
	}
	if in.Description != nil {
		to.Description = *in.Description
	}
	if in.RoutingConfig != nil {
		to.RoutingConfig = in.RoutingConfig
	}
	if err := a.checkAlias(r, t, to); err != nil {
		return alias{}, err
	}
	to.RevisionID = revision(t.name, to.Name, rec.Created.UnixNano(), rec.Revision)
	put(&rec.Aliases, to.Name, to)
	return to, nil
}

// checkAlias refuses an alias that leads to what does not exist.
func (a *API) checkAlias(r *http.Request, t *target, to alias) error {
	total := 0.0
	for version, weight := range to.weights() {
		if total += weight; weight < 0 || total > 1 {
			return invalid("The weights of an alias must be between 0 and 1, and not be more than 1 together.")
		}
		if version == latest || to.FunctionVersion == latest || version == to.FunctionVersion {
			return invalid("The versions of an alias with weights must be two published ones.")
		}
	}
	if len(to.weights()) > 1 {
		return invalid("The number of items in AdditionalVersionWeights cannot be greater than 1.")
	}
	for _, version := range append(slices.Collect(maps.Keys(to.weights())), to.FunctionVersion) {
		if aliasPattern.MatchString(version) {
			return invalid("%q is no version.", version)
		}
		at := *t
		at.qualifier = version
		if err := a.qualify(r.Context(), &at); err != nil {
			return err
		}
	}
	return nil
}

// aliasOf returns the alias that a request names.
func (a *API) aliasOf(r *http.Request) (*target, alias, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, alias{}, err
	}
	found, ok := t.record.Aliases[r.PathValue("alias")]
	if !ok {
		return nil, alias{}, notFound("Cannot find alias arn: %s", arn(t.name, r.PathValue("alias")))
	}
	return t, found, nil
}

func (a *API) getAlias(r *http.Request) (any, error) {
	t, found, err := a.aliasOf(r)
	if err != nil {
		return nil, err
	}
	return found.said(t.name), nil
}

func (a *API) updateAlias(r *http.Request) (any, error) {
	in, err := read[aliasChange](r)
	if err != nil {
		return nil, err
	}
	t, found, err := a.aliasOf(r)
	if err != nil {
		return nil, err
	}
	if err := fresh(in.RevisionID, found.RevisionID); err != nil {
		return nil, err
	}
	var made alias
	err = a.change(r.Context(), t, func(rec *record) error {
		made, err = a.setAlias(r, t, rec, rec.Aliases[found.Name], in)
		return err
	})
	return made.said(t.name), err
}

// deleteAlias is no error if there is no such alias.
func (a *API) deleteAlias(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error {
		delete(rec.Aliases, r.PathValue("alias"))
		return nil
	})
}

func (a *API) listAliases(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	list, version := []any{}, r.URL.Query().Get("FunctionVersion")
	for _, name := range slices.Sorted(maps.Keys(t.record.Aliases)) {
		if alias := t.record.Aliases[name]; version == "" || alias.FunctionVersion == version {
			list = append(list, alias.said(t.name))
		}
	}
	return page(r, "Aliases", list, 50)
}
