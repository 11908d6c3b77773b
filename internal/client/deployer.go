package client

import (
	"context"
	"net/http"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// Deploy implements aloft.Deployer.
func (c *Client) Deploy(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	err := c.source(ctx, "/deploys", input, report, &d)
	return d, err
}

// Build implements aloft.Deployer.
func (c *Client) Build(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Build, error) {
	var b aloft.Build
	err := c.source(ctx, "/builds", input, report, &b)
	return b, err
}

// Plan implements aloft.Deployer.
func (c *Client) Plan(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Plan, error) {
	var p aloft.Plan
	err := c.source(ctx, "/plans", input, report, &p)
	return p, err
}

// Rollback implements aloft.Deployer.
func (c *Client) Rollback(ctx context.Context, input aloft.RollbackInput, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	path, err := stagePath(input.Stage, "/rollbacks")
	if err != nil {
		return d, err
	}
	body := api.Rollback{Version: input.Version, Author: input.Author, Description: input.Description, Canary: input.Canary}
	err = c.stream(ctx, call{http.MethodPost, path, body}, report, &d)
	return d, err
}

// Configure implements aloft.Deployer.
func (c *Client) Configure(ctx context.Context, input aloft.ConfigInput, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	path, err := stagePath(input.Stage, "/config")
	if err != nil {
		return d, err
	}
	body := api.ConfigChange{Set: input.Set, Unset: input.Unset, Clear: input.Clear, Author: input.Author}
	err = c.stream(ctx, call{http.MethodPatch, path, body}, report, &d)
	return d, err
}

// Tune implements aloft.Deployer.
func (c *Client) Tune(ctx context.Context, input aloft.TuneInput, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	path, err := stagePath(input.Stage, "/tuning")
	if err != nil {
		return d, err
	}
	body := api.TuningChange{Set: input.Set, Reset: input.Reset, Author: input.Author}
	err = c.stream(ctx, call{http.MethodPatch, path, body}, report, &d)
	return d, err
}

// source does one of the methods that work on a source.
func (c *Client) source(ctx context.Context, below string, input aloft.DeployInput, report aloft.Reporter, out any) error {
	var path string
	var err error
	if input.Stage.App == "" {
		if err = aloft.CheckName("stage", input.Stage.Stage); err != nil {
			return err
		}
		path = "/v1/apps/" + api.AnyApp + "/stages/" + input.Stage.Stage + below
	} else if path, err = stagePath(input.Stage, below); err != nil {
		return err
	}
	body := api.Source{
		Dir: input.Dir, Author: input.Author, Commit: input.Commit, Description: input.Description, Force: input.Force, Plan: input.Plan, Platform: input.Platform, Canary: input.Canary,
	}
	return c.stream(ctx, call{http.MethodPost, path, body}, report, out)
}
