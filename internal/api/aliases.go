package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// AliasChange is the body of a new or changed alias.
type AliasChange struct {
	Function    string          `json:"function,omitempty" doc:"The function it is of; all of the stage by default"`
	Name        string          `json:"name" maxLength:"128"`
	Version     int             `json:"version,omitempty" minimum:"0" doc:"The release; 0, of the alias current alone: the current one"`
	Weights     map[int]float64 `json:"weights,omitempty" doc:"Shares, above 0 and at most 1 in sum, that other releases get, by version"`
	Description string          `json:"description,omitempty" maxLength:"256"`
	Revision    string          `json:"revision,omitempty" maxLength:"64" doc:"Of the alias to be changed; any by default"`
}

type aliasInput struct {
	StagePath

	Body AliasChange
}

type aliasName struct {
	StagePath

	Function string `query:"function"`
	Name     string `query:"name" required:"true"`
}

func (h *handlers) aliasRoutes() {
	path := stagePath + "/aliases"
	huma.Register(h.api, h.operation(http.MethodGet, path, "list-aliases", "The stage's names for releases"),
		func(ctx context.Context, in *StagePath) (*output[[]aloft.Alias], error) {
			ref, err := in.ref()
			if err != nil {
				return nil, NewProblem(err)
			}
			list, err := h.Aliases.Aliases(ctx, ref)
			if err != nil {
				return nil, NewProblem(err)
			}
			return &output[[]aloft.Alias]{Body: append([]aloft.Alias{}, list...)}, nil
		})
	huma.Register(h.api, h.operation(http.MethodPost, path, "create-alias", "Give a release a name"), put(h.Aliases.CreateAlias))
	huma.Register(h.api, h.operation(http.MethodPut, path, "update-alias", "Change what a name stands for"), put(h.Aliases.UpdateAlias))
	huma.Register(h.api, h.operation(http.MethodDelete, path, "delete-alias", "Remove a name"),
		func(ctx context.Context, in *aliasName) (*struct{}, error) {
			ref, err := in.ref()
			if err == nil {
				err = h.Aliases.DeleteAlias(ctx, ref, in.Function, in.Name)
			}
			if err != nil {
				return nil, NewProblem(err)
			}
			return nil, nil
		})
}

// put is the handler that stores an alias.
func put(store func(context.Context, aloft.Alias) (aloft.Alias, error)) func(context.Context, *aliasInput) (*output[aloft.Alias], error) {
	return func(ctx context.Context, in *aliasInput) (*output[aloft.Alias], error) {
		ref, err := in.ref()
		if err != nil {
			return nil, NewProblem(err)
		}
		b := in.Body
		stored, err := store(ctx, aloft.Alias{
			StageRef: ref, Function: b.Function, Name: b.Name, Version: b.Version, Weights: b.Weights, Description: b.Description, Revision: b.Revision,
		})
		if err != nil {
			return nil, NewProblem(err)
		}
		return &output[aloft.Alias]{Body: stored}, nil
	}
}
