package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// RecordingChange is the body that begins or ends to record a function.
type RecordingChange struct {
	Until time.Time `json:"until,omitzero" doc:"When it ends by itself; without it, it ends now"`
}

// TestEventChange is the body of a test event.
type TestEventChange struct {
	Event json.RawMessage `json:"event" doc:"JSON"`
}

type recordInput struct {
	StagePath

	Function string `path:"function"`
	Body     RecordingChange
}

type recordingsInput struct {
	StagePath

	Function string `query:"function" doc:"Of this function alone"`
}

type recordingInput struct {
	StagePath

	ID int `path:"id" minimum:"1"`
}

type eventPath struct {
	StagePath

	Function string `path:"function"`
	Name     string `path:"name"`
}

type saveEventInput struct {
	StagePath

	Function string `path:"function"`
	Name     string `path:"name"`
	Body     TestEventChange
}

func (h *handlers) recordRoutes() {
	huma.Register(h.api, h.operation(http.MethodPut, stagePath+"/functions/{function}/recording", "record", "Keep the events of a function for a while"),
		func(ctx context.Context, in *recordInput) (*struct{}, error) {
			ref, err := in.ref()
			if err == nil {
				err = h.Recorder.Record(ctx, ref, in.Function, in.Body.Until)
			}
			return nothing(err)
		})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/recording", "list-recorded", "The functions whose events are kept now"),
		func(ctx context.Context, in *StagePath) (*output[[]aloft.RecorderState], error) {
			return listed(in, func(ref aloft.StageRef) ([]aloft.RecorderState, error) { return h.Recorder.Recorded(ctx, ref) })
		})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/recordings", "list-recordings", "Events that were kept, newest first"),
		func(ctx context.Context, in *recordingsInput) (*output[[]aloft.Recording], error) {
			return listed(&in.StagePath, func(ref aloft.StageRef) ([]aloft.Recording, error) {
				return h.Recorder.Recordings(ctx, ref, in.Function)
			})
		})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/recordings/{id}", "get-recording", "One event with its reply"),
		func(ctx context.Context, in *recordingInput) (*output[aloft.Recording], error) {
			ref, err := in.ref()
			var r aloft.Recording
			if err == nil {
				r, err = h.Recorder.Recording(ctx, ref, in.ID)
			}
			if err != nil {
				return nil, NewProblem(err)
			}
			return &output[aloft.Recording]{Body: r}, nil
		})
}

func (h *handlers) testEventRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/test-events", "list-test-events", "Events kept under names"),
		func(ctx context.Context, in *StagePath) (*output[[]aloft.TestEvent], error) {
			return listed(in, func(ref aloft.StageRef) ([]aloft.TestEvent, error) { return h.TestEvents.TestEvents(ctx, ref) })
		})
	path := stagePath + "/functions/{function}/test-events/{name}"
	huma.Register(h.api, h.operation(http.MethodPut, path, "save-test-event", "Keep an event under a name"),
		func(ctx context.Context, in *saveEventInput) (*struct{}, error) {
			ref, err := in.ref()
			if err == nil {
				err = h.TestEvents.SaveTestEvent(ctx, ref, aloft.TestEvent{Function: in.Function, Name: in.Name, Event: in.Body.Event})
			}
			return nothing(err)
		})
	huma.Register(h.api, h.operation(http.MethodDelete, path, "delete-test-event", "Remove an event kept under a name"),
		func(ctx context.Context, in *eventPath) (*struct{}, error) {
			ref, err := in.ref()
			if err == nil {
				err = h.TestEvents.DeleteTestEvent(ctx, ref, in.Function, in.Name)
			}
			return nothing(err)
		})
}

// listed answers with a list of a stage, which is an array though there is nothing in it.
func listed[T any](in *StagePath, list func(aloft.StageRef) ([]T, error)) (*output[[]T], error) {
	ref, err := in.ref()
	var all []T
	if err == nil {
		all, err = list(ref)
	}
	if err != nil {
		return nil, NewProblem(err)
	}
	return &output[[]T]{Body: append([]T{}, all...)}, nil
}

// nothing answers without a body.
func nothing(err error) (*struct{}, error) {
	if err != nil {
		return nil, NewProblem(err)
	}
	return nil, nil
}
