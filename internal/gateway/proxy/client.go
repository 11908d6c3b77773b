package proxy

import (
	"context"
	"net/http"
	"time"
)

// Client is the other side of an HTTP/1 connection, as its listener sees it past what the server reads and writes.
type Client interface {
	// Room reports whether the client takes more of a response, as far as is known.
	Room() bool
	// AwaitRoom waits until it does, or the write deadline is over, which is an error.
	AwaitRoom() error
	// Left reports whether the client has closed its side, be there something to read from it before that or not.
	Left() bool
}

// clientKey is where the context of a connection's requests has its Client.
type clientKey struct{}

// WithClient returns a context for the requests of an HTTP/1 connection. While a request waits for a client to read it
// holds no buffer, so that clients that do not cost little.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// client returns the exchange's, nil if it is not known.
func (e *exchange) client() Client {
	if e.r.ProtoMajor != 1 {
		return nil
	}
	c, _ := e.r.Context().Value(clientKey{}).(Client)
	return c
}

// roomFrom is how much of a response is sent without a look at the client: small ones are gone before it matters.
const roomFrom = 64 << 10

// awaitRoom waits until the client takes more, within the stall time.
func (e *exchange) awaitRoom(c Client) error {
	e.guarded = true
	_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(e.h.limits.Stall))
	return c.AwaitRoom()
}
