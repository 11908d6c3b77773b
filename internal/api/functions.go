package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// maxEvent bounds the body of an invocation, in bytes: an event of 6 MB in base64.
const maxEvent = 9 << 20

// Invocation is the body of an invocation.
type Invocation struct {
	Payload       []byte `json:"payload" doc:"The event, JSON, in base64"`
	ClientContext string `json:"clientContext,omitempty" maxLength:"3583" doc:"JSON"`
	RequestID     string `json:"requestId,omitempty" maxLength:"128" doc:"Of the invocation; a new one by default"`
	Qualifier     string `json:"qualifier,omitempty" maxLength:"128" doc:"A release, 4 or v4, or an alias; the current release by default"`
	Tail          bool   `json:"tail,omitempty" doc:"The end of what it prints is wanted"`
	Async         bool   `json:"async,omitempty" doc:"Answer once the event is on the disk, with the request's id only"`
}

type invokeInput struct {
	StagePath

	Function string `path:"function"`
	Body     Invocation
}

func (h *handlers) functionRoutes() {
	op := h.operation(http.MethodPost, stagePath+"/functions/{function}/invocations", "invoke", "Have a handler function work on an event")
	op.MaxBodyBytes = maxEvent
	huma.Register(h.api, op, func(ctx context.Context, in *invokeInput) (*output[aloft.Invoked], error) {
		ref, err := in.ref()
		if err == nil {
			err = aloft.CheckName("function", in.Function)
		}
		if err != nil {
			return nil, NewProblem(err)
		}
		invoked, err := h.Invoker.Invoke(ctx, aloft.InvokeInput{
			Stage: ref, Function: in.Function, Payload: in.Body.Payload, ClientContext: in.Body.ClientContext,
			RequestID: in.Body.RequestID, Qualifier: in.Body.Qualifier, Tail: in.Body.Tail, Async: in.Body.Async,
		})
		if err != nil {
			return nil, NewProblem(err)
		}
		return &output[aloft.Invoked]{Body: invoked}, nil
	})
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/event-sources", "list-event-sources", "The event sources of the stage's functions, and how they are"),
		func(ctx context.Context, in *StagePath) (*output[[]aloft.EventSource], error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			all, err := h.EventSources(ctx, ref)
			if err != nil {
				return nil, NewProblem(err)
			}
			return &output[[]aloft.EventSource]{Body: all}, nil
		})
}
