package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

var _ aloft.AliasStore = (*Client)(nil)

// CreateAlias implements aloft.AliasStore.
func (c *Client) CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return c.putAlias(ctx, http.MethodPost, alias)
}

// UpdateAlias implements aloft.AliasStore.
func (c *Client) UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return c.putAlias(ctx, http.MethodPut, alias)
}

func (c *Client) putAlias(ctx context.Context, method string, alias aloft.Alias) (aloft.Alias, error) {
	var stored aloft.Alias
	if err := alias.Check(); err != nil {
		return stored, err
	}
	path, err := stagePath(alias.StageRef, "/aliases")
	if err != nil {
		return stored, err
	}
	body := api.AliasChange{
		Function: alias.Function, Name: alias.Name, Version: alias.Version, Weights: alias.Weights, Description: alias.Description, Revision: alias.Revision,
	}
	err = c.do(ctx, method, path, body, &stored)
	return stored, err
}

// DeleteAlias implements aloft.AliasStore.
func (c *Client) DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error {
	path, err := stagePath(ref, "/aliases?"+url.Values{"function": {function}, "name": {name}}.Encode())
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}

// Aliases implements aloft.AliasStore.
func (c *Client) Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	var aliases []aloft.Alias
	path, err := stagePath(ref, "/aliases")
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &aliases)
	return aliases, err
}
