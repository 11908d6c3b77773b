package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

func (h *handlers) resourceRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/resources", "list-resources", "The stores and services that a stage has"),
		func(ctx context.Context, in *StagePath) (*output[[]aloft.ResourceStatus], error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			list, err := h.Resources.Resources(ctx, ref)
			if err != nil {
				return nil, NewProblem(err)
			}
			return &output[[]aloft.ResourceStatus]{Body: list}, nil
		})
}
