package lambdaapi

import (
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft"
)

func (a *API) getFunction(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	c, err := a.configuration(r.Context(), t)
	if err != nil {
		return nil, err
	}
	location, err := a.location(t.release.Artifact.Digest)
	if err != nil {
		return nil, err
	}
	result := map[string]any{"Configuration": c, "Code": map[string]string{"RepositoryType": "S3", "Location": location}}
	if len(t.record.Tags) > 0 {
		result["Tags"] = t.record.Tags
	}
	if n := t.record.Reserved; n != nil {
		result["Concurrency"] = map[string]int{"ReservedConcurrentExecutions": *n}
	}
	return result, nil
}

func (a *API) getConfiguration(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return a.configuration(r.Context(), t)
}

func (a *API) listFunctions(r *http.Request) (any, error) {
	all, err := a.all(r.Context())
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, t := range all {
		versions := []*target{t}
		if r.URL.Query().Get("FunctionVersion") == "ALL" {
			if versions, err = a.versions(r.Context(), t); err != nil {
				return nil, err
			}
		}
		for _, v := range versions {
			c, err := a.configuration(r.Context(), v)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	return page(r, "Functions", list, 50)
}

// page is a part of a list: from Marker on, MaxItems long. Marker is the number of the first item.
func page[T any](r *http.Request, name string, list []T, most int) (any, error) {
	query, from := r.URL.Query(), 0
	if text := query.Get("Marker"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, invalid("%q is no marker.", text)
		}
		from = min(n, len(list))
	}
	if text := query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10000 {
			return nil, invalid("'MaxItems' value failed to satisfy constraint: Member must be between 1 and 10000")
		}
		most = n
	}
	to := min(from+most, len(list))
	result := map[string]any{name: list[from:to]}
	if to < len(list) {
		result["NextMarker"] = strconv.Itoa(to)
	}
	return result, nil
}

func (a *API) deleteFunction(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	if t.qualifier != "" {
		return nil, a.deleteVersion(r.Context(), t)
	}
	if !t.own() {
		return nil, conflict("The function %s is part of the app %s, which aloft deploys: take it out of aloft.yml or the Procfile and run aloft up %s, "+
			"or remove the stage with aloft destroy %s --app %s", t.name, t.stage.App, t.stage.Stage, t.stage.Stage, t.stage.App)
	}
	for _, u := range t.record.URLs {
		if err := a.Docs.DeleteMeta(r.Context(), urlPrefix+u.ID); err != nil {
			return nil, err
		}
	}
	if err := a.Deployer.Destroy(r.Context(), aloft.StageRef{App: t.stage.App}); err != nil {
		return nil, err
	}
	return nil, a.Docs.DeleteMeta(r.Context(), recordPrefix+t.name)
}
