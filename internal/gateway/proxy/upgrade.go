package proxy

import (
	"net/http"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/edge"
)

// closeGrace is how long both sides may take to say goodbye once a tunnel must end.
const closeGrace = time.Second

const tunnelBuffer = 8 << 10

// switchProtocols joins client and app after the app agreed to speak WebSocket.
func (e *exchange) switchProtocols(res response, asked bool) {
	if !asked || !e.agreed() {
		e.fail(http.StatusBadGateway, "the app switched to a protocol nobody asked for")
		return
	}
	e.watch.end()
	client, buffered, err := http.NewResponseController(e.w).Hijack()
	if err != nil {
		e.fail(http.StatusBadGateway, "this connection cannot be upgraded")
		return
	}
	defer client.Close()
	_ = client.SetDeadline(time.Time{})
	e.status = res.status
	app := e.conn
	app.Detach()
	e.conn = nil
	defer app.Conn.Close()
	if _, err := client.Write(e.appendSwitch()); err != nil {
		return
	}
	t := &tunnel{client: client, app: app.Conn, cutting: e.up.Cutting(), linger: e.h.limits.Stall}
	e.sent = t.run(buffered, app.Reader)
}

func (e *exchange) agreed() bool {
	for _, f := range e.fields {
		if f.key == "Upgrade" && strings.EqualFold(f.value, "websocket") {
			return true
		}
	}
	return false
}

func (e *exchange) appendSwitch() []byte {
	b := append(e.head[:0], "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"...)
	for _, f := range e.fields {
		if !edge.HopByHop(f.key) && f.key != "X-Request-Id" && f.key != "Content-Length" {
			b = appendField(b, f.key, f.value)
		}
	}
	b = appendField(b, "X-Request-Id", e.id)
	return append(b, "\r\n"...)
}
