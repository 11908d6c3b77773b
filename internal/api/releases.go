package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

type releasesInput struct {
	StagePath

	Limit int `query:"limit" minimum:"0" doc:"At most so many, newest first; 0 means all"`
}

type releaseInput struct {
	StagePath

	Version int `path:"version" minimum:"1"`
}

type output[T any] struct {
	Body T
}

func (h *handlers) releaseRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/releases", "list-releases", "The stage's releases, newest first"), h.releases)
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/releases/{version}", "get-release", "One release"), h.release)
}

func (h *handlers) releases(ctx context.Context, in *releasesInput) (*output[[]aloft.Release], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	list, err := h.Releases.Releases(ctx, ref, in.Limit)
	if err != nil {
		return nil, NewProblem(err)
	}
	out := make([]aloft.Release, 0, len(list))
	for _, r := range list {
		out = append(out, masked(r))
	}
	return &output[[]aloft.Release]{Body: out}, nil
}

func (h *handlers) release(ctx context.Context, in *releaseInput) (*output[aloft.Release], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	r, err := h.Releases.Release(ctx, ref, in.Version)
	if err != nil {
		return nil, NewProblem(err)
	}
	return &output[aloft.Release]{Body: masked(r)}, nil
}

// masked returns the release with the names of its variables only: not even sealed values leave the server.
func masked(r aloft.Release) aloft.Release {
	r = r.Clone()
	for name := range r.Config.Values {
		r.Config.Values[name] = nil
	}
	for i := range r.Functions {
		for name := range r.Functions[i].Env {
			r.Functions[i].Env[name] = ""
		}
	}
	return r
}

// deployment masks the release of a result.
func deployment(d aloft.Deployment, err error) (aloft.Deployment, error) {
	d.Release = masked(d.Release)
	return d, err
}
