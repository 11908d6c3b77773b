package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/net/http2"

	"github.com/aloft-run/aloft/internal/route"
)

// clear serves HTTP/2 without TLS, to those who begin with it because they know it is spoken: AWS's SDK for JavaScript speaks it to
// Kinesis. It is for the gateway's fallback only, which AWS's API is; apps are reached by HTTP/1.1 or with TLS.
type clear struct {
	gateway *Gateway
	server  *http.Server  // whose handler, limits and end are those of HTTP/2 too
	http2   *http2.Server //nolint:staticcheck // SA1019: as of serveHTTP2
}

// newClear returns nil if there is no fallback.
func newClear(g *Gateway, s *http.Server) (*clear, error) {
	if g.config.Fallback == nil {
		return nil, nil //nolint:nilnil // nothing to serve
	}
	c := &clear{gateway: g, server: s, http2: new(http2.Server)} //nolint:staticcheck // SA1019: as of serveHTTP2
	if err := http2.ConfigureServer(s, c.http2); err != nil {    //nolint:staticcheck // SA1019: as of serveHTTP2
		return nil, fmt.Errorf("set up HTTP/2 without TLS: %w", err)
	}
	return c, nil
}

// begins reports whether a connection begins with HTTP/2: what was read is its preface, or the beginning of that.
func begins(read []byte) bool {
	const enough = len("PRI ") // no other method begins so
	n := min(len(read), len(http2.ClientPreface))
	return n >= enough && bytes.Equal(read[:n], []byte(http2.ClientPreface)[:n])
}

// serve serves a guest until it leaves.
func (c *clear) serve(g *guest, unread []byte) {
	conn := &clearConn{guest: g, unread: unread, talk: newTalk(time.Now(), c.gateway.config.Limits.Talk)}
	_ = g.SetReadDeadline(time.Time{})            // that was for a head
	c.http2.ServeConn(conn, &http2.ServeConnOpts{ //nolint:staticcheck // SA1019: as of serveHTTP2
		Context: c.gateway.crowd.inContext(context.Background(), conn), BaseConfig: c.server, Handler: only(c.gateway.config.Fallback, c.server.Handler),
	})
	_ = conn.Close()
	c.gateway.stateChanged(conn, http.StateClosed)
}

// only refuses requests that are not the fallback's.
func only(fallback route.Fallback, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fallback.Takes(r) {
			http.Error(w, "HTTP/2 without TLS is spoken to AWS's clients only", http.StatusHTTPVersionNotSupported)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// clearConn is a guest that speaks HTTP/2, and is listened to as talk says.
type clearConn struct {
	*guest
	unread []byte // what somebody else has read
	talk   talk
}

// Read implements net.Conn.
func (c *clearConn) Read(p []byte) (n int, err error) {
	if len(c.unread) > 0 {
		n = copy(p, c.unread)
		c.unread = c.unread[n:]
	} else {
		n, err = c.guest.Read(p)
	}
	if pause := c.talk.hear(p[:n], time.Now()); pause > 0 {
		<-time.After(pause)
	}
	return n, err
}
