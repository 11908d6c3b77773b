package proxy

import (
	"context"
	"net/http"
	"time"
)

// roomKey is where the context of a connection's requests has its await function.
type roomKey struct{}

// WithRoom returns a context for the requests of an HTTP/1 connection. Await waits until the client takes more of a
// response, or its write deadline is over. While a request waits there it holds no buffer: clients that do not read cost
// little.
func WithRoom(ctx context.Context, await func() error) context.Context {
	return context.WithValue(ctx, roomKey{}, await)
}

// roomFrom is how much of a response is sent without a look at the client: small ones are gone before it matters.
const roomFrom = 64 << 10

// room returns await for the exchange, nil if there is none.
func (e *exchange) room() func() error {
	if e.r.ProtoMajor != 1 {
		return nil
	}
	await, _ := e.r.Context().Value(roomKey{}).(func() error)
	return await
}

// awaitRoom waits until the client takes more, within the stall time.
func (e *exchange) awaitRoom(await func() error) error {
	if await == nil || e.sent < roomFrom {
		return nil
	}
	e.guarded = true
	_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(e.h.limits.Stall))
	return await()
}
