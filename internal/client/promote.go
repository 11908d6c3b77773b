package client

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

var _ aloft.Promoter = (*Client)(nil)

// Promote implements aloft.Promoter.
func (c *Client) Promote(ctx context.Context, input aloft.PromoteInput, report aloft.Reporter) (aloft.Deployment, error) {
	var d aloft.Deployment
	path, err := stagePath(input.To, "/promotions")
	if err != nil {
		return d, err
	}
	body := api.Promotion{
		From: input.From.Stage, Version: input.Version, Canary: input.Canary, Release: input.Release, Packages: input.Packages,
		Dir: input.Dir, Platform: input.Platform, Author: input.Author, Description: input.Description,
	}
	if input.Release != nil {
		r := input.Release.Clone()
		body.Variables, r.Config, body.Release = slices.Sorted(maps.Keys(r.Config.Values)), aloft.SealedConfig{}, &r
	}
	err = c.stream(ctx, call{http.MethodPost, path, body}, report, &d)
	return d, err
}

// Promotable implements aloft.Promoter.
func (c *Client) Promotable(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	var r aloft.Release
	path, err := stagePath(ref, "/promotables/"+strconv.Itoa(version))
	if err != nil {
		return r, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &r)
	return r, err
}

// OpenArtifact implements aloft.Promoter.
func (c *Client) OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error) {
	request, err := newRequest(ctx, http.MethodGet, "/v1/artifacts/"+url.PathEscape(digest), nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, transportError(ctx, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer func() { _ = response.Body.Close() }()
		return nil, problem(response)
	}
	return response.Body, nil
}
