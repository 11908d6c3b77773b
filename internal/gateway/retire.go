package gateway

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Listeners are what another gateway needs to take this one's place.
func (g *Gateway) Listeners() Listeners { return Listeners{HTTP: g.http, HTTPS: g.tls} }

// Take begins to take connections. It is called once, and only for a gateway that stands by.
func (g *Gateway) Take() error { return g.app.take() }

// TakePackets begins with HTTP/3, if there is HTTPS. Another gateway on the address must have ended its own with StopPackets
// before: two on one port would each get some packets of every connection.
func (g *Gateway) TakePackets() error { return g.app.startQUIC() }

// StopPackets ends HTTP/3. Requests in flight may finish until ctx ends; clients go on with HTTP/2 until somebody else
// offers HTTP/3 again.
func (g *Gateway) StopPackets(ctx context.Context) {
	if quic := g.app.quic.Load(); quic != nil {
		_ = quic.Shutdown(ctx) // what did not finish is cut
		g.app.stopQUIC()
	}
}

// Retire leaves the listeners to another gateway, which has them too, and makes connections end without a loss: each
// answer from now on is the last of its connection, and says so. It returns when no connection is open any more, upgraded
// ones aside, or when ctx ends; Close is still to be called.
func (g *Gateway) Retire(ctx context.Context) {
	g.retiring.Store(true)
	g.closeListeners()
	for _, d := range g.app.doors {
		<-d.ended // who has come through it counts as open by now
	}
	tick := time.NewTicker(retireLook)
	defer tick.Stop()
	for g.open.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Quiesce takes no more connections, closes those without a request in work, and lets the others have their last answers, until
// ctx ends: what is behind the gateway is still there for them. Close is still to be called.
func (g *Gateway) Quiesce(ctx context.Context) {
	g.CloseIdle()
	g.Retire(ctx)
}

const retireLook = 5 * time.Millisecond

// lastAnswers says on each answer of a retiring gateway that the connection ends after it. HTTP/2 has no such field; the
// server makes GOAWAY of it.
func (g *Gateway) lastAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.retiring.Load() {
			w.Header()["Connection"] = []string{"close"}
		}
		next.ServeHTTP(w, r)
	})
}

// stateChanged keeps count of connections.
func (g *Gateway) stateChanged(c net.Conn, state http.ConnState) {
	g.crowd.stateChanged(c, state)
	switch state {
	case http.StateNew:
		if guest := guestOf(c); guest != nil && guest.counted { // at the door
			return
		}
		g.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		g.open.Add(-1)
	case http.StateActive, http.StateIdle:
	}
}

// CloseIdle closes the connections of a retiring gateway on which no request is under way.
func (g *Gateway) CloseIdle() {
	for _, s := range g.app.servers {
		s.SetKeepAlivesEnabled(false)
	}
	for _, s := range g.app.usual {
		s.Drain()
	}
}
