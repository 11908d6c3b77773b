package lambdaapi

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// provisioned is how many instances are asked to be ready. It is kept and given back: instances start as they are needed.
type provisioned struct {
	Requested int
	Changed   time.Time
}

func (p provisioned) said() map[string]any {
	return map[string]any{
		"RequestedProvisionedConcurrentExecutions": p.Requested, "AvailableProvisionedConcurrentExecutions": p.Requested,
		"AllocatedProvisionedConcurrentExecutions": p.Requested, "Status": "READY", "LastModified": timeText(p.Changed),
	}
}

// accountConcurrency is how many invocations at once Lambda grants a new account; here it bounds what may be reserved.
const accountConcurrency = 1000

func (a *API) putConcurrency(r *http.Request) (any, error) {
	in, t, err := with[struct {
		Reserved *int `json:"ReservedConcurrentExecutions"`
	}](a, r)
	if err != nil {
		return nil, err
	}
	if in.Reserved == nil || *in.Reserved < 0 || *in.Reserved > accountConcurrency-100 {
		return nil, invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	}
	err = a.change(r.Context(), t, func(rec *record) error { rec.Reserved = in.Reserved; return nil })
	return in, err
}

func (a *API) deleteConcurrency(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error { rec.Reserved = nil; return nil })
}

func (a *API) getConcurrency(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	result := map[string]int{}
	if n := t.record.Reserved; n != nil {
		result["ReservedConcurrentExecutions"] = *n
	}
	return result, nil
}

func (a *API) putProvisioned(r *http.Request) (any, error) {
	in, t, err := with[struct {
		Requested int `json:"ProvisionedConcurrentExecutions"`
	}](a, r)
	if err != nil {
		return nil, err
	}
	if t.qualifier == "" || t.qualifier == latest {
		return nil, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	if in.Requested < 1 {
		return nil, invalid("ProvisionedConcurrentExecutions must be at least 1.")
	}
	p := provisioned{in.Requested, now()}
	err = a.change(r.Context(), t, func(rec *record) error { put(&rec.Provisioned, t.qualifier, p); return nil })
	return p.said(), err
}

func (a *API) getProvisioned(r *http.Request) (any, error) {
	if r.URL.Query().Get("List") == "ALL" {
		return a.listProvisioned(r)
	}
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	p, ok := t.record.Provisioned[t.qualifier]
	if !ok {
		return nil, &Failure{"ProvisionedConcurrencyConfigNotFoundException", http.StatusNotFound, "No Provisioned Concurrency Config found for this function"}
	}
	return p.said(), nil
}

func (a *API) listProvisioned(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, qualifier := range slices.Sorted(maps.Keys(t.record.Provisioned)) {
		item := t.record.Provisioned[qualifier].said()
		item["FunctionArn"] = arn(t.name, qualifier)
		list = append(list, item)
	}
	return page(r, "ProvisionedConcurrencyConfigs", list, 50)
}

func (a *API) deleteProvisioned(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error { delete(rec.Provisioned, t.qualifier); return nil })
}
