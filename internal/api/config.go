package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// ConfigChange is the body of a config change.
type ConfigChange struct {
	Set    map[string]string `json:"set,omitempty"`
	Unset  []string          `json:"unset,omitempty"`
	Clear  bool              `json:"clear,omitempty" doc:"Drop all variables first"`
	Author string            `json:"author,omitempty" maxLength:"256"`
}

type configInput struct {
	StagePath

	Body ConfigChange
}

type configOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         aloft.Config
}

func (h *handlers) configRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/config", "get-config", "The variables of the current release, in clear"),
		func(ctx context.Context, in *StagePath) (*configOutput, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			config, err := h.Operator.Config(ctx, ref)
			if err != nil {
				return nil, NewProblem(err)
			}
			if config == nil {
				config = aloft.Config{}
			}
			return &configOutput{CacheControl: "no-store", Body: config}, nil
		})
	huma.Register(h.api, h.streams(h.operation(http.MethodPatch, stagePath+"/config", "configure", "Set and unset variables in one release")),
		func(_ context.Context, in *configInput) (*huma.StreamResponse, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			input := aloft.ConfigInput{Stage: ref, Set: in.Body.Set, Unset: in.Body.Unset, Clear: in.Body.Clear, Author: in.Body.Author}
			return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
				return deployment(h.Deployer.Configure(ctx, input, report))
			}), nil
		})
}
