package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// App is an app with its stages.
type App struct {
	Name   string         `json:"name"`
	Stages []aloft.Status `json:"stages"`
}

// Domains is the body of a change of domains.
type Domains struct {
	Domains []string `json:"domains" maxItems:"1000"`
}

type appInput struct {
	App string `path:"app"`
}

type domainsInput struct {
	StagePath

	Body Domains
}

func (h *handlers) stageRoutes() {
	huma.Register(h.api, h.operation(http.MethodGet, "/v1/apps", "list-apps", "All apps with their stages and what runs of them"), h.apps)
	huma.Register(h.api, h.operation(http.MethodGet, "/v1/apps/{app}/stages", "list-stages", "The app's stages and what runs of them"), h.stages)
	huma.Register(h.api, h.operation(http.MethodDelete, "/v1/apps/{app}", "destroy-app", "Delete an app with all its stages"),
		func(ctx context.Context, in *appInput) (*struct{}, error) {
			if err := aloft.CheckName("app", in.App); err != nil {
				return nil, NewProblem(err)
			}
			return done(h.Operator.Destroy(ctx, aloft.StageRef{App: in.App}))
		})
	huma.Register(h.api, h.operation(http.MethodDelete, stagePath, "destroy-stage", "Delete a stage"), forStage(h.Operator.Destroy))
	huma.Register(h.api, h.operation(http.MethodPost, stagePath+"/stop", "stop-stage", "End the stage's instances until its next release"),
		forStage(h.Operator.Stop))
	huma.Register(h.api, h.operation(http.MethodPut, stagePath+"/domains", "set-domains", "Replace the stage's domains"), h.setDomains)
}

func (h *handlers) apps(ctx context.Context, _ *struct{}) (*output[[]App], error) {
	statuses, err := h.Operator.Overview(ctx, "")
	if err != nil {
		return nil, NewProblem(err)
	}
	apps := []App{}
	for _, s := range statuses {
		i := slices.IndexFunc(apps, func(a App) bool { return a.Name == s.Stage.App })
		if i < 0 {
			i = len(apps)
			apps = append(apps, App{Name: s.Stage.App})
		}
		apps[i].Stages = append(apps[i].Stages, s)
	}
	slices.SortFunc(apps, func(a, b App) int { return cmp.Compare(a.Name, b.Name) })
	return &output[[]App]{Body: apps}, nil
}

func (h *handlers) stages(ctx context.Context, in *appInput) (*output[[]aloft.Status], error) {
	if err := aloft.CheckName("app", in.App); err != nil {
		return nil, NewProblem(err)
	}
	statuses, err := h.Operator.Overview(ctx, in.App)
	if err != nil {
		return nil, NewProblem(err)
	}
	if statuses == nil {
		statuses = []aloft.Status{}
	}
	return &output[[]aloft.Status]{Body: statuses}, nil
}

func (h *handlers) setDomains(ctx context.Context, in *domainsInput) (*output[aloft.Stage], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	stage, err := h.Operator.SetDomains(ctx, ref, in.Body.Domains)
	if err != nil {
		return nil, NewProblem(err)
	}
	return &output[aloft.Stage]{Body: stage}, nil
}

// forStage makes a handler of a method that changes a stage and returns nothing.
func forStage(do func(context.Context, aloft.StageRef) error) func(context.Context, *StagePath) (*struct{}, error) {
	return func(ctx context.Context, in *StagePath) (*struct{}, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, NewProblem(err)
		}
		return done(do(ctx, ref))
	}
}

// done answers 204, or err.
func done(err error) (*struct{}, error) {
	if err != nil {
		return nil, NewProblem(err)
	}
	return &struct{}{}, nil
}
