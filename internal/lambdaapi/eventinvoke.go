package lambdaapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// eventInvoke says what becomes of events that nobody waits for.
type eventInvoke struct {
	MaximumRetryAttempts     *int            `json:",omitempty"`
	MaximumEventAgeInSeconds *int            `json:",omitempty"`
	DestinationConfig        json.RawMessage `json:",omitempty"`
	FunctionArn              string
	LastModified             float64
}

func (e eventInvoke) check() error {
	if n := e.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 2) {
		return invalid("'MaximumRetryAttempts' value failed to satisfy constraint: Member must be between 0 and 2")
	}
	if n := e.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 21600) {
		return invalid("'MaximumEventAgeInSeconds' value failed to satisfy constraint: Member must be between 60 and 21600")
	}
	return nil
}

// putEventInvoke replaces what was said before.
func (a *API) putEventInvoke(r *http.Request) (any, error) { return a.setEventInvoke(r, false) }

// updateEventInvoke leaves what is not said.
func (a *API) updateEventInvoke(r *http.Request) (any, error) { return a.setEventInvoke(r, true) }

func (a *API) setEventInvoke(r *http.Request, over bool) (any, error) {
	in, err := read[eventInvoke](r)
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return nil, err
	}
	t, key, err := a.setting(r)
	if err != nil {
		return nil, err
	}
	made := eventInvoke{DestinationConfig: json.RawMessage(`{"OnSuccess":{},"OnFailure":{}}`)}
	err = a.change(r.Context(), t, func(rec *record) error {
		if old, ok := rec.EventInvoke[key]; over && ok {
			if err := json.Unmarshal(old, &made); err != nil {
				return err
			}
		} else if over {
			return notFound("The function %s doesn't have an EventInvokeConfig", arn(t.name, key))
		}
		made.merge(in)
		made.FunctionArn, made.LastModified = arn(t.name, key), seconds(now())
		text, err := json.Marshal(made)
		put(&rec.EventInvoke, key, json.RawMessage(text))
		return err
	})
	return made, err
}

func (e *eventInvoke) merge(in eventInvoke) {
	if in.MaximumRetryAttempts != nil {
		e.MaximumRetryAttempts = in.MaximumRetryAttempts
	}
	if in.MaximumEventAgeInSeconds != nil {
		e.MaximumEventAgeInSeconds = in.MaximumEventAgeInSeconds
	}
	if len(in.DestinationConfig) > 0 {
		e.DestinationConfig = in.DestinationConfig
	}
}

func (a *API) getEventInvoke(r *http.Request) (any, error) {
	t, key, err := a.setting(r)
	if err != nil {
		return nil, err
	}
	found, ok := t.record.EventInvoke[key]
	if !ok {
		return nil, notFound("The function %s doesn't have an EventInvokeConfig", arn(t.name, key))
	}
	return found, nil
}

func (a *API) deleteEventInvoke(r *http.Request) (any, error) {
	t, key, err := a.setting(r)
	if err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error {
		if _, ok := rec.EventInvoke[key]; !ok {
			return notFound("The function %s doesn't have an EventInvokeConfig", arn(t.name, key))
		}
		delete(rec.EventInvoke, key)
		return nil
	})
}

func (a *API) listEventInvoke(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, key := range slices.Sorted(maps.Keys(t.record.EventInvoke)) {
		list = append(list, t.record.EventInvoke[key])
	}
	return page(r, "FunctionEventInvokeConfigs", list, 50)
}
