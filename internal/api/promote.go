package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aloft-run/aloft"
)

// Promotion is the body of a promotion.
type Promotion struct {
	From    string        `json:"from" doc:"The stage whose release is promoted" maxLength:"64"`
	Version int           `json:"version,omitempty" minimum:"0" doc:"Its release; 0 is the current one"`
	Canary  *aloft.Canary `json:"canary,omitempty" doc:"Give it a share of requests first; on AWS only"`

	Release   *aloft.Release    `json:"release,omitempty" doc:"That release, if another server has it"`
	Variables []string          `json:"variables,omitempty" doc:"The names of its variables then"`
	Packages  map[string]string `json:"packages,omitempty" doc:"Its artifacts then: files on this server's machine by digest"`

	Dir         string             `json:"dir,omitempty" doc:"Absolute path of the source on the server's machine" maxLength:"4096"`
	Platform    aloft.PlatformName `json:"platform,omitempty" enum:"local" doc:"Promote to this server though the source names another platform"`
	Author      string             `json:"author,omitempty" maxLength:"256"`
	Description string             `json:"description,omitempty" maxLength:"4096"`
}

type promotionInput struct {
	StagePath

	Body Promotion
}

type promotableInput struct {
	StagePath

	Version int `path:"version" minimum:"0"`
}

type artifactInput struct {
	Digest string `path:"digest" pattern:"^[0-9a-f]{64}$"`
}

func (h *handlers) promoteRoutes() {
	huma.Register(h.api, h.streams(h.operation(http.MethodPost, stagePath+"/promotions", "promote", "Release what another stage of the app runs")), h.promote)
	huma.Register(h.api, h.operation(http.MethodGet, stagePath+"/promotables/{version}", "promotable", "A release as another server takes it; 0 is the current one"),
		h.promotable)
	huma.Register(h.api, h.operation(http.MethodGet, "/v1/artifacts/{digest}", "artifact", "The zip of an artifact"), h.artifact)
}

func (h *handlers) promote(_ context.Context, in *promotionInput) (*huma.StreamResponse, error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	b := in.Body
	input := aloft.PromoteInput{
		From: aloft.StageRef{App: ref.App, Stage: b.From}, To: ref, Version: b.Version, Canary: b.Canary, Release: b.Release, Packages: b.Packages,
		Dir: b.Dir, Platform: b.Platform, Author: b.Author, Description: b.Description,
	}
	if input.Release != nil {
		input.Release.Config = aloft.SealedConfig{Values: map[string][]byte{}}
		for _, name := range b.Variables {
			input.Release.Config.Values[name] = nil
		}
	}
	return streamed(func(ctx context.Context, report aloft.Reporter) (any, error) {
		return deployment(h.Promoter.Promote(ctx, input, report))
	}), nil
}

func (h *handlers) promotable(ctx context.Context, in *promotableInput) (*output[aloft.Release], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, NewProblem(err)
	}
	r, err := h.Promoter.Promotable(ctx, ref, in.Version)
	if err != nil {
		return nil, NewProblem(err)
	}
	return &output[aloft.Release]{Body: r}, nil
}

func (h *handlers) artifact(ctx context.Context, in *artifactInput) (*huma.StreamResponse, error) {
	body, err := h.Promoter.OpenArtifact(ctx, in.Digest)
	if err != nil {
		return nil, NewProblem(err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer func() { _ = body.Close() }() // read-only
		c.SetHeader("Content-Type", "application/zip")
		_, _ = io.Copy(c.BodyWriter(), body) // who reads knows the digest
	}}, nil
}
