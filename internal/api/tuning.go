package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// TuningChange is the body of a change of what operators set of functions.
type TuningChange struct {
	Set    map[string]aloft.Tuning        `json:"set,omitempty" doc:"By function; zero fields stay as they are"`
	Reset  map[string][]aloft.TuningField `json:"reset,omitempty" doc:"By function: scale, concurrency, memory, timeout or event-sources, back to what the source says"`
	Author string                         `json:"author,omitempty" maxLength:"256"`
}

type tuningInput struct {
	StagePath

	Body TuningChange
}

func (h *handlers) tuningRoutes() {
	huma.Register(h.api, h.streams(h.operation(http.MethodPatch, stagePath+"/tuning", "tune", "Set the scale and the limits of functions in one release")),
		func(_ context.Context, in *tuningInput) (*huma.StreamResponse, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			input := aloft.TuneInput{Stage: ref, Set: in.Body.Set, Reset: in.Body.Reset, Author: in.Body.Author}
			return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
				return deployment(h.Deployer.Tune(ctx, input, report))
			}), nil
		})
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/restarts", "restart-stage", "Replace all instances by new ones of the current release")),
		func(_ context.Context, in *StagePath) (*huma.StreamResponse, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
				return deployment(h.Operator.Restart(ctx, ref, report))
			}), nil
		})
}
