package api

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// AnyApp stands for the app's name in the path of deploys, builds and plans: the source says the name.
const AnyApp = "-"

const stagePath = "/v1/apps/{app}/stages/{stage}"

// StagePath names the stage of a route. It is exported because huma looks into exported fields only.
type StagePath struct {
	App   string `path:"app"`
	Stage string `path:"stage"`
}

func (in StagePath) ref() (aloft.StageRef, error) {
	ref := aloft.StageRef{App: in.App, Stage: in.Stage}
	return ref, ref.Check()
}

// Source is the body of deploys, builds and plans.
type Source struct {
	Dir         string `json:"dir" doc:"Absolute path of the source on the server's machine" minLength:"1" maxLength:"4096"`
	Author      string `json:"author,omitempty" maxLength:"256"`
	Commit      string `json:"commit,omitempty" maxLength:"64"`
	Description string `json:"description,omitempty" maxLength:"4096"`
	Force       bool   `json:"force,omitempty" doc:"Build and release though nothing changed"`

	Plan     string             `json:"plan,omitempty" doc:"The id of the plan that a deploy has to be; it is refused with the code conflict if it is another" maxLength:"64"`
	Platform aloft.PlatformName `json:"platform,omitempty" enum:"local" doc:"Deploy to this server though the source names another platform"`
	Canary   *aloft.Canary      `json:"canary,omitempty" doc:"Give the release a share of requests first; on AWS only"`
}

type sourceInput struct {
	StagePath

	Body Source
}

func (in *sourceInput) input() (aloft.DeployInput, error) {
	ref := aloft.StageRef{App: in.App, Stage: in.Stage}
	if in.App == AnyApp {
		ref.App = ""
		if err := aloft.CheckName("stage", ref.Stage); err != nil {
			return aloft.DeployInput{}, NewProblem(err)
		}
	} else if err := ref.Check(); err != nil {
		return aloft.DeployInput{}, NewProblem(err)
	}
	if !filepath.IsAbs(in.Body.Dir) {
		return aloft.DeployInput{}, NewProblem(aloft.Errorf(aloft.Invalid, "dir %q is not an absolute path", in.Body.Dir))
	}
	return aloft.DeployInput{
		Stage: ref, Dir: in.Body.Dir, Author: in.Body.Author, Commit: in.Body.Commit,
		Description: in.Body.Description, Force: in.Body.Force, Plan: in.Body.Plan, Platform: in.Body.Platform, Canary: in.Body.Canary,
	}, nil
}

// Rollback is the body of a rollback.
type Rollback struct {
	Canary      *aloft.Canary `json:"canary,omitempty" doc:"Give it a share of requests first; on AWS only"`
	Version     int           `json:"version,omitempty" minimum:"0" doc:"The release to return to; 0 is the newest succeeded one before the current"`
	Author      string        `json:"author,omitempty" maxLength:"256"`
	Description string        `json:"description,omitempty" maxLength:"4096"`
}

type rollbackInput struct {
	StagePath

	Body Rollback
}

func (h *handlers) deployRoutes() {
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/deploys", "deploy", "Build a source and release it")),
		sourceHandler(func(ctx context.Context, in aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
			return deployment(h.Deployer.Deploy(ctx, in, report))
		}))
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/builds", "build", "Build a source into an artifact")),
		sourceHandler(h.Deployer.Build))
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/plans", "plan", "Build a source and say what a deploy would change")),
		sourceHandler(h.Deployer.Plan))
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/rollbacks", "rollback", "Release an earlier release again")),
		h.rollback)
}

// sourceHandler makes a handler of one of the Deployer's methods that work on a source.
func sourceHandler[T any](do func(context.Context, aloft.DeployInput, aloft.Reporter) (T, error)) func(context.Context, *sourceInput) (*huma.StreamResponse, error) {
	return func(_ context.Context, in *sourceInput) (*huma.StreamResponse, error) {
		input, err := in.input()
		if err != nil {
			return nil, err
		}
		return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
			return do(ctx, input, report)
		}), nil
	}
}

func (h *handlers) rollback(_ context.Context, in *rollbackInput) (*huma.StreamResponse, error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	input := aloft.RollbackInput{Stage: ref, Version: in.Body.Version, Author: in.Body.Author, Description: in.Body.Description, Canary: in.Body.Canary}
	return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
		return deployment(h.Deployer.Rollback(ctx, input, report))
	}), nil
}
