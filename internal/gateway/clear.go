package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// clear serves HTTP/2 without TLS, to those who begin with it because they know it is spoken: AWS's SDK for JavaScript speaks it to
// Kinesis. It is for the gateway's fallback only, which AWS's API is; apps are reached by HTTP/1.1 or with TLS.
type clear struct {
	gateway *Gateway
	server  *http.Server  // whose handler, limits and end are those of HTTP/2 too
	http2   *http2.Server //nolint:staticcheck // SA1019: as of serveHTTP2

	mu     sync.Mutex
	conns  map[*clearConn]struct{}
	ending bool
	none   chan struct{} // closed when it is ending and nobody is served any more
}

// newClear returns nil if there is no fallback.
func newClear(g *Gateway, s *http.Server) (*clear, error) {
	if g.config.Fallback == nil {
		return nil, nil //nolint:nilnil // nothing to serve
	}
	c := &clear{gateway: g, server: s, http2: new(http2.Server), conns: map[*clearConn]struct{}{}, none: make(chan struct{})} //nolint:staticcheck // SA1019: as of serveHTTP2
	if err := http2.ConfigureServer(s, c.http2); err != nil {                                                                 //nolint:staticcheck // SA1019: as of serveHTTP2
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
	defer func() {
		if reason := recover(); reason != nil { // one client's; net/http does the same over TLS
			c.gateway.crowd.log.Debug("HTTP/2 without TLS failed", "client", g.RemoteAddr().String(), "panic", reason)
		}
		_ = conn.Close()
		c.leave(conn)
		c.gateway.stateChanged(conn, http.StateClosed)
	}()
	if !c.enter(conn) {
		return
	}
	_ = g.SetReadDeadline(time.Time{})            // that was for a head
	c.http2.ServeConn(conn, &http2.ServeConnOpts{ //nolint:staticcheck // SA1019: as of serveHTTP2
		Context: c.gateway.crowd.inContext(context.Background(), conn), BaseConfig: c.server, Handler: c.only(c.server.Handler),
	})
}

func (c *clear) enter(conn *clearConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.conns[conn] = struct{}{}
	return true
}

func (c *clear) leave(conn *clearConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.conns[conn]; ok {
		delete(c.conns, conn)
		c.noneLeft()
	}
}

// noneLeft says so; the lock is held.
func (c *clear) noneLeft() {
	if c.ending && len(c.conns) == 0 {
		close(c.none)
	}
}

// end lets nobody in any more.
func (c *clear) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.ending = true
		c.noneLeft()
	}
}

// shutdown waits until nobody is served any more: the http.Server has told them that it ends.
func (c *clear) shutdown(ctx context.Context) error {
	c.end()
	select {
	case <-c.none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close closes all connections.
func (c *clear) close() {
	c.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
}

// only refuses requests that are not the fallback's, those too that an app gets though they look like it.
func (c *clear) only(next http.Handler) http.Handler {
	config := c.gateway.config
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !config.Fallback.Takes(r) || config.Table.Lookup(proxy.HostOf(r.Host)) != nil {
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
