// Package client implements the service contracts of the root package over the REST API of package api. Who holds a Client
// cannot tell it from the services themselves: errors keep their codes, hints and details, and canceling a context cancels
// the work.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// host is what requests name as their host; over a Unix socket it means nothing.
const host = "http://aloft"

// lastWord is how long canceled work may take to say what came of it.
const lastWord = 5 * time.Second

// Client speaks to a server. It is safe for concurrent use.
type Client struct {
	socket   string
	http     *http.Client
	patience time.Duration
}

var (
	_ aloft.Deployer   = (*Client)(nil)
	_ aloft.Operator   = (*Client)(nil)
	_ aloft.Runner     = (*Client)(nil)
	_ aloft.Invoker    = (*Client)(nil)
	_ aloft.LogService = (*Client)(nil)
)

// New returns a Client of the server that listens on the Unix socket. It connects when it is used.
func New(socket string) *Client {
	c := &Client{socket: socket, patience: lastWord}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
	}}
	return c
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Health says how the server is. It returns Unavailable if none answers.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var health api.Health
	err := c.do(ctx, http.MethodGet, "/v1/health", nil, &health)
	return health, err
}

// Check is Health with the State of all that the server keeps, which may take a while to look at.
func (c *Client) Check(ctx context.Context) (api.Health, error) {
	var health api.Health
	err := c.do(ctx, http.MethodGet, "/v1/health?check=true", nil, &health)
	return health, err
}

// StopServer asks the server to end. It returns once the server has heard, not when it has ended.
func (c *Client) StopServer(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/v1/server/stop", nil, nil)
}

// UpgradeServer makes the server start its program again and returns when the new one serves in its place. When ctx ends
// before that, nothing changes.
func (c *Client) UpgradeServer(ctx context.Context, limit time.Duration) (api.Upgraded, error) {
	var done api.Upgraded
	err := c.do(ctx, http.MethodPost, "/v1/server/upgrade", api.Upgrade{Seconds: limit.Seconds()}, &done)
	return done, err
}

// AWSCredentials returns the access key for AWS's clients, made anew if rotate is true.
func (c *Client) AWSCredentials(ctx context.Context, rotate bool) (api.AWSCredentials, error) {
	var got api.AWSCredentials
	err := c.do(ctx, http.MethodPost, "/v1/credentials/aws", api.AWSCredentialsInput{Rotate: rotate}, &got)
	return got, err
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := api.Dial(ctx, c.socket)
	if err != nil && ctx.Err() == nil {
		cause := err
		if op, ok := errors.AsType[*net.OpError](err); ok {
			cause = op.Err // the address in op may be a made-up short one
		}
		return nil, aloft.Errorf(aloft.Unavailable, "no aloft server answers at %s: %w", c.socket, cause).
			WithHint("start one with: aloft serve")
	}
	return conn, err
}

// do sends a request with body as JSON (nil: none) and reads the answer into out (nil: ignored).
func (c *Client) do(ctx context.Context, method, path string, body, out any) error {
	request, err := newRequest(ctx, method, path, body)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return transportError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return problem(response)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

func newRequest(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, host+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// transportError says why there is no answer.
func transportError(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*aloft.Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return aloft.Errorf(aloft.Unavailable, "the aloft server went away: %w", err).
		WithHint("type the same command again; the server's log says why it ended")
}

// problem reads the error of an answer.
func problem(response *http.Response) error {
	var p api.Problem
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Code == "" {
		return aloft.Errorf(api.CodeOf(response.StatusCode), "the server answered %s", response.Status)
	}
	return p.Err()
}

// stagePath returns the path of what belongs to a stage, or Invalid for a name that is not allowed.
func stagePath(ref aloft.StageRef, below string) (string, error) {
	if err := ref.Check(); err != nil {
		return "", err
	}
	return "/v1/apps/" + url.PathEscape(ref.App) + "/stages/" + url.PathEscape(ref.Stage) + below, nil
}
