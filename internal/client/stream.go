package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// call is a request whose answer is a stream of events.
type call struct {
	method, path string
	body         any
}

// stream makes the call, passes progress on to report and reads the result into out.
func (c *Client) stream(ctx context.Context, call call, report aloft.Reporter, out any) error {
	err := c.events(ctx, call, func(e api.Event) error {
		if event := e.Progress(); event != nil {
			report.Report(event)
		}
		if e.Type == api.TypeResult {
			return json.Unmarshal(e.Result, out)
		}
		return nil
	})
	return err
}

// events makes the call on a connection of its own and gives the events to each. When ctx ends it closes only the sending
// side, which cancels the work, and goes on reading for a moment: the server's last word says what came of it.
func (c *Client) events(ctx context.Context, call call, each func(api.Event) error) error {
	// The request outlives ctx by the last word.
	request, err := newRequest(context.WithoutCancel(ctx), call.method, call.path, call.body)
	if err != nil {
		return err
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := request.Write(conn); err != nil {
		return transportError(ctx, err)
	}
	defer context.AfterFunc(ctx, func() { hangUp(conn, c.patience) })()
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return transportError(ctx, err)
	}
	defer func() {
		_ = conn.Close() // first: closing the body would read a stream to its end
		_ = response.Body.Close()
	}()
	if response.StatusCode >= http.StatusBadRequest {
		return problem(response)
	}
	return read(ctx, response, each)
}

// read reads events up to the last one.
func read(ctx context.Context, response *http.Response, each func(api.Event) error) error {
	decoder := json.NewDecoder(response.Body)
	for {
		var e api.Event
		if err := decoder.Decode(&e); err != nil {
			return transportError(ctx, fmt.Errorf("the stream was cut: %w", err))
		}
		if e.Type == api.TypeError && e.Error != nil {
			return canceled(ctx, e.Error.Err())
		}
		if err := each(e); err != nil {
			return err
		}
		if e.Type == api.TypeResult {
			return nil
		}
	}
}

// hangUp tells the server that the client gave up, and bounds the wait for its last word.
func hangUp(conn net.Conn, patience time.Duration) {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}

// canceled makes the caller's own cancellation the cause of an error that says so.
func canceled(ctx context.Context, err *aloft.Error) error {
	if err.Code == aloft.Canceled && ctx.Err() != nil {
		err.Err = ctx.Err()
	}
	return err
}

// errStop ends a stream that its reader has enough of.
var errStop = errors.New("enough")
