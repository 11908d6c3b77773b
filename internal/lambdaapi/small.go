package lambdaapi

import (
	"maps"
	"net/http"
	"strings"
)

// runtimeManagement says when the runtime is updated: it is kept and given back.
type runtimeManagement struct {
	UpdateRuntimeOn   string
	RuntimeVersionArn string `json:",omitempty"`
}

func (a *API) getRuntimeManagement(r *http.Request) (any, error) {
	t, key, err := a.setting(r)
	if err != nil {
		return nil, err
	}
	m, ok := t.record.Runtime[key]
	if !ok {
		m.UpdateRuntimeOn = "Auto"
	}
	return m.said(t.name, key), nil
}

func (a *API) putRuntimeManagement(r *http.Request) (any, error) {
	in, err := read[runtimeManagement](r)
	if err != nil {
		return nil, err
	}
	t, key, err := a.setting(r)
	if err != nil {
		return nil, err
	}
	switch in.UpdateRuntimeOn {
	case "Auto", "FunctionUpdate", "Manual":
	default:
		return nil, invalid("UpdateRuntimeOn must be Auto, FunctionUpdate or Manual.")
	}
	err = a.change(r.Context(), t, func(rec *record) error { put(&rec.Runtime, key, in); return nil })
	return in.said(t.name, key), err
}

func (m runtimeManagement) said(name, qualifier string) map[string]any {
	result := map[string]any{"FunctionArn": arn(name, qualifier), "UpdateRuntimeOn": m.UpdateRuntimeOn}
	if m.RuntimeVersionArn != "" {
		result["RuntimeVersionArn"] = m.RuntimeVersionArn
	}
	return result
}

type recursion struct{ RecursiveLoop string }

// What RecursiveLoop may be.
const (
	recursionEnds    = "Terminate"
	recursionAllowed = "Allow"
)

func (a *API) getRecursion(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	if t.record.Recursion == "" {
		return recursion{recursionEnds}, nil
	}
	return recursion{t.record.Recursion}, nil
}

func (a *API) putRecursion(r *http.Request) (any, error) {
	in, t, err := with[recursion](a, r)
	if err != nil {
		return nil, err
	}
	if in.RecursiveLoop != recursionAllowed && in.RecursiveLoop != recursionEnds {
		return nil, invalid("RecursiveLoop must be Allow or Terminate.")
	}
	return in, a.change(r.Context(), t, func(rec *record) error { rec.Recursion = in.RecursiveLoop; return nil })
}

// getCodeSigning says that there is none: code is not signed here.
func (a *API) getCodeSigning(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return map[string]string{"FunctionName": t.name}, nil
}

func (a *API) accountSettings(r *http.Request) (any, error) {
	all, err := a.all(r.Context())
	if err != nil {
		return nil, err
	}
	size, free := int64(0), accountConcurrency
	for _, t := range all {
		size += t.release.Artifact.Size
		if n := t.record.Reserved; n != nil {
			free -= *n
		}
	}
	return map[string]any{
		"AccountLimit": map[string]int64{
			"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": maxUnzipped, "CodeSizeZipped": maxZip,
			"ConcurrentExecutions": accountConcurrency, "UnreservedConcurrentExecutions": int64(free),
		},
		"AccountUsage": map[string]int64{"TotalCodeSize": size, "FunctionCount": int64(len(all))},
	}, nil
}

// tagged is what has tags: a function, or an event source mapping.
func (a *API) tagged(r *http.Request, change func(tags map[string]string) map[string]string) (map[string]string, error) {
	resource := r.PathValue("arn")
	if uuid, ok := strings.CutPrefix(resource, arnPrefix+"event-source-mapping:"); ok {
		return a.mappingTags(r, uuid, change)
	}
	t, err := a.find(r.Context(), resource, "")
	if err != nil {
		return nil, err
	}
	if change == nil {
		return t.record.Tags, nil
	}
	return nil, a.change(r.Context(), t, func(rec *record) error { rec.Tags = change(maps.Clone(rec.Tags)); return nil })
}

func (a *API) listTags(r *http.Request) (any, error) {
	tags, err := a.tagged(r, nil)
	if tags == nil {
		tags = map[string]string{}
	}
	return map[string]any{"Tags": tags}, err
}

func (a *API) tag(r *http.Request) (any, error) {
	in, err := read[struct{ Tags map[string]string }](r)
	if err != nil {
		return nil, err
	}
	_, err = a.tagged(r, func(tags map[string]string) map[string]string {
		for k, v := range in.Tags {
			put(&tags, k, v)
		}
		return tags
	})
	return nil, err
}

func (a *API) untag(r *http.Request) (any, error) {
	_, err := a.tagged(r, func(tags map[string]string) map[string]string {
		for _, k := range r.URL.Query()["tagKeys"] {
			delete(tags, k)
		}
		return tags
	})
	return nil, err
}
