package lambdaapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

const mappingPrefix = "lambda/mapping/"

// mapping is an event source mapping as it is kept.
type mapping struct {
	UUID     string
	Name     string // of the function
	Ref      string // of the function, as it was given
	Enabled  bool
	Changed  float64
	Tags     map[string]string
	Settings map[string]json.RawMessage
}

func mappingARN(uuid string) string { return arnPrefix + "event-source-mapping:" + uuid }

// saidOf is an EventSourceMappingConfiguration. State is what the mapping is about to be; "" is what it is.
func (a *API) saidOf(m mapping, state string) map[string]any {
	if state == "" {
		state = "Disabled"
		if m.Enabled {
			state = "Enabled"
		}
	}
	result := map[string]any{
		"UUID": m.UUID, "EventSourceMappingArn": mappingARN(m.UUID), "FunctionArn": m.functionARN(), "LastModified": m.Changed,
		"State": state, "StateTransitionReason": "USER_INITIATED", "LastProcessingResult": a.result(m),
		"MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []string{},
	}
	for name, value := range m.Settings {
		result[name] = value
	}
	return result
}

// functionARN keeps the qualifier that was given.
func (m mapping) functionARN() string {
	name, qualifier, err := parseName(m.Ref)
	if err != nil { // it was looked at when it was stored
		return m.Ref
	}
	return arn(name, qualifier)
}

// source is the ARN of the source, "" for one that has none.
func (m mapping) source() string {
	var text string
	_ = json.Unmarshal(m.Settings["EventSourceArn"], &text)
	return text
}

// settable are the settings that are kept as they are given.
func settable() []string {
	return []string{
		"EventSourceArn", "BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "StartingPosition",
		"StartingPositionTimestamp", "DestinationConfig", "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts",
		"TumblingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig", "KMSKeyArn", "MetricsConfig", "ProvisionedPollerConfig",
		"Topics", "Queues", "SourceAccessConfigurations", "SelfManagedEventSource",
	}
}

func (a *API) createMapping(r *http.Request) (any, error) {
	in, err := read[map[string]json.RawMessage](r)
	if err != nil {
		return nil, err
	}
	m := mapping{UUID: aloft.NewID(), Enabled: true, Settings: map[string]json.RawMessage{}}
	if err := a.apply(r, &m, in); err != nil {
		return nil, err
	}
	if raw := in["Tags"]; raw != nil {
		if err := json.Unmarshal(raw, &m.Tags); err != nil {
			return nil, invalid("Tags cannot be read.")
		}
	}
	if !strings.HasPrefix(m.source(), "arn:") {
		return nil, invalid("EventSourceArn is mandatory: sources without one are not here.")
	}
	if err := m.defaults(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	all, err := a.mappings(r.Context())
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(o mapping) bool { return o.source() == m.source() && o.functionARN() == m.functionARN() }); i >= 0 {
		return nil, conflict("An event source mapping with event source arn (\" %s \") and function (\" %s \") already exists. Please update or delete the existing mapping with UUID %s",
			m.source(), m.Name, all[i].UUID)
	}
	if err := a.keepMapping(r.Context(), m); err != nil {
		return nil, err
	}
	return a.saidOf(m, "Creating"), nil
}

// apply sets what a request says.
func (a *API) apply(r *http.Request, m *mapping, in map[string]json.RawMessage) error {
	if raw := in["FunctionName"]; raw != nil {
		if err := json.Unmarshal(raw, &m.Ref); err != nil {
			return invalid("FunctionName is no text.")
		}
	}
	t, err := a.find(r.Context(), m.Ref, "")
	if err != nil {
		return err
	}
	m.Name = t.name
	if raw := in["Enabled"]; raw != nil && string(raw) != "null" {
		if err := json.Unmarshal(raw, &m.Enabled); err != nil {
			return invalid("Enabled is neither true nor false.")
		}
	}
	var size int
	if raw := in["BatchSize"]; raw != nil && (json.Unmarshal(raw, &size) != nil || size < 1 || size > 10000) {
		return invalid("'BatchSize' value failed to satisfy constraint: Member must be between 1 and 10000")
	}
	for _, name := range settable() {
		if raw := in[name]; raw != nil && string(raw) != "null" {
			m.Settings[name] = raw
		}
	}
	var filters filterCriteria
	if raw := m.Settings["FilterCriteria"]; raw != nil && json.Unmarshal(raw, &filters) == nil && len(filters.Filters) == 0 {
		delete(m.Settings, "FilterCriteria") // an empty one removes those that there were
	}
	m.Changed = seconds(now())
	return nil
}

// mappings returns all mappings, by UUID.
func (a *API) mappings(ctx context.Context) ([]mapping, error) {
	docs, err := a.Docs.Metas(ctx, mappingPrefix)
	if err != nil {
		return nil, err
	}
	var all []mapping
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		var m mapping
		if err := json.Unmarshal(docs[name], &m); err != nil {
			a.Logger.Error("an event source mapping cannot be read: it does not run", "document", name, "error", err)
			continue
		}
		all = append(all, m)
	}
	return all, nil
}

// mappingOf returns the mapping that a request names.
func (a *API) mappingOf(r *http.Request, uuid string) (mapping, error) {
	m, ok, err := load[mapping](r.Context(), a.Docs, mappingPrefix+uuid)
	if err == nil && !ok {
		err = notFound("The resource you requested does not exist.")
	}
	return m, err
}

func (a *API) getMapping(r *http.Request) (any, error) {
	m, err := a.mappingOf(r, r.PathValue("uuid"))
	if err != nil {
		return nil, err
	}
	return a.saidOf(m, ""), nil
}

func (a *API) updateMapping(r *http.Request) (any, error) {
	in, err := read[map[string]json.RawMessage](r)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.mappingOf(r, r.PathValue("uuid"))
	if err != nil {
		return nil, err
	}
	delete(in, "EventSourceArn") // cannot be changed
	if err := a.apply(r, &m, in); err != nil {
		return nil, err
	}
	if err := a.keepMapping(r.Context(), m); err != nil {
		return nil, err
	}
	return a.saidOf(m, "Updating"), nil
}

func (a *API) deleteMapping(r *http.Request) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.mappingOf(r, r.PathValue("uuid"))
	if err != nil {
		return nil, err
	}
	if a.Mappings != nil {
		if err := a.Mappings.Remove(r.Context(), m.UUID); err != nil {
			return nil, err
		}
	}
	return a.saidOf(m, "Deleting"), a.Docs.DeleteMeta(r.Context(), mappingPrefix+m.UUID)
}

func (a *API) listMappings(r *http.Request) (any, error) {
	all, err := a.mappings(r.Context())
	if err != nil {
		return nil, err
	}
	source, function := r.URL.Query().Get("EventSourceArn"), r.URL.Query().Get("FunctionName")
	if function != "" {
		name, qualifier, err := parseName(function)
		if err != nil {
			return nil, err
		}
		function = arn(name, qualifier)
	}
	list := []any{}
	for _, m := range all {
		if (source == "" || m.source() == source) && (function == "" || m.functionARN() == function) {
			list = append(list, a.saidOf(m, ""))
		}
	}
	return page(r, "EventSourceMappings", list, 100)
}

// mappingTags returns a mapping's tags, or changes them.
func (a *API) mappingTags(r *http.Request, uuid string, change func(map[string]string) map[string]string) (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.mappingOf(r, uuid)
	if err != nil || change == nil {
		return m.Tags, err
	}
	m.Tags = change(m.Tags)
	return nil, save(r.Context(), a.Docs, mappingPrefix+uuid, m)
}
