package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// Overview implements aloft.Operator.
func (c *Client) Overview(ctx context.Context, app string) ([]aloft.Status, error) {
	var statuses []aloft.Status
	if app != "" {
		if err := aloft.CheckName("app", app); err != nil {
			return nil, err
		}
		err := c.do(ctx, http.MethodGet, "/v1/apps/"+app+"/stages", nil, &statuses)
		return statuses, err
	}
	var apps []api.App
	if err := c.do(ctx, http.MethodGet, "/v1/apps", nil, &apps); err != nil {
		return nil, err
	}
	for _, a := range apps {
		statuses = append(statuses, a.Stages...)
	}
	return statuses, nil
}

// Config implements aloft.Operator.
func (c *Client) Config(ctx context.Context, ref aloft.StageRef) (aloft.Config, error) {
	var config aloft.Config
	path, err := stagePath(ref, "/config")
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &config)
	return config, err
}

// SetDomains implements aloft.Operator.
func (c *Client) SetDomains(ctx context.Context, ref aloft.StageRef, domains []string) (aloft.Stage, error) {
	var stage aloft.Stage
	path, err := stagePath(ref, "/domains")
	if err != nil {
		return stage, err
	}
	if domains == nil {
		domains = []string{}
	}
	err = c.do(ctx, http.MethodPut, path, api.Domains{Domains: domains}, &stage)
	return stage, err
}

// Stop implements aloft.Operator.
func (c *Client) Stop(ctx context.Context, ref aloft.StageRef) error {
	path, err := stagePath(ref, "/stop")
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, nil, nil)
}

// Restart implements aloft.Operator.
func (c *Client) Restart(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	path, err := stagePath(ref, "/restarts")
	if err != nil {
		return d, err
	}
	err = c.stream(ctx, call{http.MethodPost, path, nil}, report, &d)
	return d, err
}

// Destroy implements aloft.Operator.
func (c *Client) Destroy(ctx context.Context, ref aloft.StageRef) error {
	if ref.Stage == "" {
		if err := aloft.CheckName("app", ref.App); err != nil {
			return err
		}
		return c.do(ctx, http.MethodDelete, "/v1/apps/"+ref.App, nil, nil)
	}
	path, err := stagePath(ref, "")
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}

// Invoke implements aloft.Invoker.
func (c *Client) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	var invoked aloft.Invoked
	path, err := functionPath(input.Stage, input.Function, "/invocations")
	if err != nil {
		return invoked, err
	}
	body := api.Invocation{
		Payload: input.Payload, ClientContext: input.ClientContext, RequestID: input.RequestID, Qualifier: input.Qualifier, Tail: input.Tail, Async: input.Async,
	}
	err = c.do(ctx, http.MethodPost, path, body, &invoked)
	return invoked, err
}

// EventSources lists the event sources of a stage's functions, and how they are. It returns NotFound if there is no stage.
func (c *Client) EventSources(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error) {
	var all []aloft.EventSource
	path, err := stagePath(ref, "/event-sources")
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &all)
	return all, err
}

// Resources implements aloft.ResourceLister.
func (c *Client) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	var list []aloft.ResourceStatus
	path, err := stagePath(ref, "/resources")
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &list)
	return list, err
}

// Releases lists a stage's releases, newest first, at most limit (0: all). Of their config it carries the names only. It
// returns NotFound if there is no stage.
func (c *Client) Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	var releases []aloft.Release
	path, err := stagePath(ref, "/releases?limit="+strconv.Itoa(limit))
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &releases)
	return releases, err
}

// Release returns one release, of its config the names only. It returns NotFound if there is none.
func (c *Client) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	var release aloft.Release
	path, err := stagePath(ref, "/releases/"+strconv.Itoa(version))
	if err != nil {
		return release, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &release)
	return release, err
}
