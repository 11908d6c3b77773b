package lambdaapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
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
	d, err := e.destinations()
	for _, to := range []string{d.OnSuccess.Destination, d.OnFailure.Destination} {
		if err == nil && to != "" && !strings.HasPrefix(to, arnPrefix) && !strings.HasPrefix(to, queueARN) && !strings.HasPrefix(to, topicARN) {
			err = invalid("The destination %s is not supported: aloft has functions, queues of SQS and topics of SNS.", to)
		}
	}
	return err
}

// destination is where records go, an ARN; "" is nowhere.
type destination struct{ Destination string }

type destinations struct{ OnSuccess, OnFailure destination }

func (e eventInvoke) destinations() (d destinations, err error) {
	if len(e.DestinationConfig) > 0 && json.Unmarshal(e.DestinationConfig, &d) != nil {
		err = invalid("DestinationConfig cannot be read.")
	}
	return d, err
}

// AsyncSettings say what becomes of events that nobody waits for, for a function or a qualifier of it: what was put through this
// API, else the function's own. DeadLetter is the ARN for payloads of events that are given up, "" for none.
func (a *API) AsyncSettings(ctx context.Context, ref aloft.StageRef, f aloft.Function, qualifier string) (set *aloft.Async, deadLetter string, err error) {
	r, err := a.recordOf(ctx, ref, f)
	if err != nil {
		return nil, "", err
	}
	var dead struct{ TargetArn string }
	if text := cmp.Or(r.Attributes[attrDead], f.Attributes[attrDead]); text != "" {
		if err := json.Unmarshal([]byte(text), &dead); err != nil {
			return nil, "", err
		}
	}
	if qualifier == "" {
		qualifier = latest
	}
	if r.EventInvoke[qualifier] == nil && r.Recursion == "" {
		return f.Async, dead.TargetArn, nil
	}
	if set, err = r.async(f, qualifier); err != nil {
		return nil, "", err
	}
	switch r.Recursion {
	case recursionAllowed:
		set.Loops = aloft.LoopsAllowed
	case recursionEnds:
		set.Loops = aloft.LoopsEnd
	}
	return set, dead.TargetArn, nil
}

// async is what is said of events for a qualifier, by itself or by the function. The caller may change it.
func (r record) async(f aloft.Function, qualifier string) (*aloft.Async, error) {
	own := f.Clone().Async
	if own == nil {
		own = &aloft.Async{}
	}
	if r.EventInvoke[qualifier] == nil {
		return own, nil
	}
	var e eventInvoke
	if err := json.Unmarshal(r.EventInvoke[qualifier], &e); err != nil {
		return nil, err
	}
	d, err := e.destinations()
	set := &aloft.Async{Retries: e.MaximumRetryAttempts, OnSuccess: d.OnSuccess.Destination, OnFailure: d.OnFailure.Destination}
	if n := e.MaximumEventAgeInSeconds; n != nil {
		set.MaxAge = aloft.Duration(time.Duration(*n) * time.Second)
	}
	set.RetryDelay, set.Loops = own.RetryDelay, own.Loops // Lambda has no words for them here
	return set, err
}

// recordOf is the record of a function, the zero value if there is none.
func (a *API) recordOf(ctx context.Context, ref aloft.StageRef, f aloft.Function) (record, error) {
	r, ok, err := load[record](ctx, a.Docs, recordPrefix+ref.NameOf(f))
	if err != nil || !ok {
		return record{}, err
	}
	stage, err := a.Apps.Stage(ctx, ref)
	if err != nil || !stage.CreatedAt.Equal(r.Created) {
		return record{}, err
	}
	return r, nil
}

// Locate finds the function that an ARN names, and the qualifier for an invoker.
func (a *API) Locate(ctx context.Context, arn string) (ref aloft.StageRef, name, qualifier string, err error) {
	t, err := a.find(ctx, arn, "")
	if f, ok := errors.AsType[*Failure](err); ok && f.Status == http.StatusNotFound {
		err = aloft.Errorf(aloft.NotFound, "there is no function %s", arn)
	}
	if err != nil {
		return ref, "", "", err
	}
	return t.stage.StageRef, t.function.Name, t.route(), nil
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
