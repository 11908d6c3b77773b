package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
)

// calls are the API calls of a server that may be replaced. While it is, new ones wait; afterwards the next server answers
// those that come on connections to this one.
type calls struct {
	handler http.Handler
	next    http.Handler // leads to the server that is there now

	mu      sync.Mutex
	running int           // calls that could change something, or wait for a change
	quiet   chan struct{} // closed when running is 0; nil if nobody waits for that
	held    chan struct{} // closed when calls go on; nil if none wait
	gone    bool          // the next server has taken over
}

func newCalls(handler http.Handler, home string) *calls {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return api.Dial(ctx, socketPath(home)) }
	return &calls{handler: handler, next: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "aloft" },
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		FlushInterval: -1,
		ErrorHandler:  nobody,
	}}
}

// nobody answers for a server that took this one's place and does not answer.
func nobody(w http.ResponseWriter, _ *http.Request, err error) {
	api.WriteProblem(w, aloft.Errorf(aloft.Unavailable, "the aloft server was replaced by another, which does not answer: %w", err).
		WithHint("type the same command again"))
}

// ServeHTTP implements http.Handler.
func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	passive := passive(r)
	switch gone, err := c.begin(r.Context(), passive); {
	case err != nil: // the client went away
	case gone:
		w.Header().Set("Connection", "close")
		c.next.ServeHTTP(w, r)
	case passive:
		c.handler.ServeHTTP(w, r)
	default:
		defer c.end()
		c.handler.ServeHTTP(w, r)
	}
}

// passive are calls that concern the server itself, and those that only follow a log: they neither keep it nor wait.
func passive(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/v1/server/") || r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/logs")
}

// begin waits until calls are taken and counts one in, or says that the next server answers. One that is passive neither
// waits nor counts.
func (c *calls) begin(ctx context.Context, passive bool) (gone bool, err error) {
	for {
		c.mu.Lock()
		held, gone := c.held, c.gone
		if held == nil && !gone && !passive {
			c.running++
		}
		c.mu.Unlock()
		if held == nil || passive {
			return gone, nil
		}
		select {
		case <-held:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 && c.quiet != nil {
		close(c.quiet)
		c.quiet = nil
	}
}

// hold makes new calls wait and returns when none is running. If ctx ends first they go on, and the error says that some
// are.
func (c *calls) hold(ctx context.Context) error {
	c.mu.Lock()
	c.held = make(chan struct{})
	running := c.running
	if running > 0 {
		c.quiet = make(chan struct{})
	}
	quiet := c.quiet
	c.mu.Unlock()
	if running == 0 {
		return nil
	}
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		c.release(false)
		return aloft.Errorf(aloft.Conflict, "%s still under way, such as a deploy or aloft run: %w", counted(running, "call is", "calls are"), ctx.Err()).
			WithHint("try again when they have ended; nothing was changed")
	}
}

// release lets calls go on: here, or if this server is gone, at the next one.
func (c *calls) release(gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone, c.quiet = gone, nil
	close(c.held)
	c.held = nil
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
