package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

var (
	_ aloft.Recorder   = (*Client)(nil)
	_ aloft.TestEvents = (*Client)(nil)
)

// Record implements aloft.Recorder.
func (c *Client) Record(ctx context.Context, ref aloft.StageRef, function string, until time.Time) error {
	path, err := functionPath(ref, function, "/recording")
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPut, path, api.RecordingChange{Until: until}, nil)
}

// Recorded implements aloft.Recorder.
func (c *Client) Recorded(ctx context.Context, ref aloft.StageRef) ([]aloft.RecorderState, error) {
	return get[[]aloft.RecorderState](ctx, c, ref, "/recording")
}

// Recordings implements aloft.Recorder.
func (c *Client) Recordings(ctx context.Context, ref aloft.StageRef, function string) ([]aloft.Recording, error) {
	return get[[]aloft.Recording](ctx, c, ref, "/recordings?"+url.Values{"function": {function}}.Encode())
}

// Recording implements aloft.Recorder.
func (c *Client) Recording(ctx context.Context, ref aloft.StageRef, id int) (aloft.Recording, error) {
	return get[aloft.Recording](ctx, c, ref, "/recordings/"+strconv.Itoa(id))
}

// SaveTestEvent implements aloft.TestEvents.
func (c *Client) SaveTestEvent(ctx context.Context, ref aloft.StageRef, event aloft.TestEvent) error {
	path, err := eventPath(ref, event.Function, event.Name)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPut, path, api.TestEventChange{Event: event.Event}, nil)
}

// TestEvents implements aloft.TestEvents.
func (c *Client) TestEvents(ctx context.Context, ref aloft.StageRef) ([]aloft.TestEvent, error) {
	return get[[]aloft.TestEvent](ctx, c, ref, "/test-events")
}

// DeleteTestEvent implements aloft.TestEvents.
func (c *Client) DeleteTestEvent(ctx context.Context, ref aloft.StageRef, function, name string) error {
	path, err := eventPath(ref, function, name)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}

// get reads what belongs to a stage.
func get[T any](ctx context.Context, c *Client, ref aloft.StageRef, below string) (T, error) {
	var got T
	path, err := stagePath(ref, below)
	if err != nil {
		return got, err
	}
	err = c.do(ctx, http.MethodGet, path, nil, &got)
	return got, err
}

// functionPath returns the path of what belongs to a function, or Invalid for a name that is not allowed.
func functionPath(ref aloft.StageRef, function, below string) (string, error) {
	if err := aloft.CheckName("function", function); err != nil {
		return "", err
	}
	return stagePath(ref, "/functions/"+function+below)
}

func eventPath(ref aloft.StageRef, function, name string) (string, error) {
	if err := aloft.CheckName("test event", name); err != nil {
		return "", err
	}
	return functionPath(ref, function, "/test-events/"+name)
}
