// Package proxy answers requests: it looks the route up by host and streams request and response between the client and an
// instance over kept connections. It speaks HTTP/1.1 to instances by itself and knows neither Caddy nor TLS.
package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/edge"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

// Config is what a Handler needs. Only Table is required.
type Config struct {
	Table  *route.Table
	Access func(ref aloft.StageRef, line aloft.LogLine) // takes one line per routed request; nil: none is made
	Limits Limits
	// Trusted are proxies before the gateway, whose word on who the client is and how it came counts.
	Trusted []netip.Prefix
	// Fallback answers what leads to no stage; nil: nothing does.
	Fallback route.Fallback
}

// Handler is the gateway's http.Handler. Make one with New.
type Handler struct {
	table     *route.Table
	access    func(aloft.StageRef, aloft.LogLine)
	limits    Limits
	trusted   []netip.Prefix
	fallback  route.Fallback
	exchanges sync.Pool // of *exchange
	small     sync.Pool // of *[]byte, smallBuffer long
	large     sync.Pool // of *[]byte, largeBuffer long
	huge      sync.Pool // of *[]byte, hugeBuffer long
	splices   atomic.Int32
	uploads   atomic.Int32 // that have a huge buffer
}

var _ http.Handler = (*Handler)(nil)

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{table: config.Table, access: config.Access, trusted: config.Trusted, fallback: config.Fallback, limits: config.Limits.OrDefault()}
}

// ServeHTTP answers one request. It panics with http.ErrAbortHandler to cut a response that cannot be completed.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := h.begin(w, r)
	defer h.end(e)
	if refused := e.refuse(); refused != 0 {
		e.fail(refused, "")
		return
	}
	e.route = h.table.Lookup(HostOf(r.Host))
	if e.route == nil && h.fallback != nil && h.fallback.Takes(r) {
		e.other()
		return
	}
	if e.route == nil {
		e.fail(http.StatusNotFound, "no app answers to this host")
		return
	}
	if edge.Hides(e.route.Hidden, target(e.r)) {
		e.fail(http.StatusNotFound, "")
		return
	}
	if e.route.Events != nil && e.event() {
		return
	}
	if e.files() {
		e.static()
		return
	}
	if e.route.Backend == nil {
		e.fail(http.StatusNotFound, "")
		return
	}
	up, err := e.acquire(r.Context())
	if err != nil {
		e.unavailable(err)
		return
	}
	e.up = up
	e.proxy()
}

// refuse returns the status for requests that no app may see, 0 for others. HTTP/1 requests were checked by the server;
// HTTP/2 and 3 allow bytes in the method and the authority that would change the meaning of an HTTP/1.1 request line.
//
// TRACE is refused because it sends back what the browser keeps from scripts.
func (e *exchange) refuse() int {
	switch e.r.Method {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
	case http.MethodConnect, http.MethodTrace:
		e.w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		return http.StatusMethodNotAllowed
	default:
		if !isToken(e.r.Method) {
			return http.StatusBadRequest
		}
	}
	if !validHost(e.r.Host) {
		return http.StatusBadRequest
	}
	return 0
}

// acquire asks the route's backend. A backend that was replaced while we waited for it refuses: then the table knows
// the next one.
func (e *exchange) acquire(ctx context.Context) (*upstream.Upstream, error) {
	for {
		up, err := e.route.Backend.Acquire(ctx)
		if err == nil {
			if e.route.Timeout > 0 {
				e.given = time.Now()
			}
			return up, nil
		}
		next := e.h.table.Lookup(HostOf(e.r.Host))
		if next == nil || next == e.route || next.Backend == nil || ctx.Err() != nil {
			return nil, err
		}
		e.route = next
	}
}

func (e *exchange) unavailable(err error) {
	if u, ok := errors.AsType[*route.Unavailable](err); ok {
		seconds := max(1, int((u.RetryAfter+time.Second-1)/time.Second))
		e.w.Header()["Retry-After"] = []string{itoa(seconds)}
		e.fail(http.StatusServiceUnavailable, u.Reason)
		return
	}
	if e.r.Context().Err() != nil {
		e.fail(statusClientClosed, "")
		return
	}
	e.fail(http.StatusServiceUnavailable, "")
}

// files reports whether the route's files answer. Beside a web function they do for reading what they have; without one
// they say themselves what is not there.
func (e *exchange) files() bool {
	if e.route.Static == nil || !under(e.r.URL.Path, e.route.Prefix) {
		return false
	}
	reads := e.r.Method == http.MethodGet || e.r.Method == http.MethodHead
	return e.route.Backend == nil || reads && e.route.Static.Has(e.r.URL.Path)
}

func (e *exchange) static() {
	rec := &recorder{ResponseWriter: e.w}
	defer func() { e.status, e.sent = rec.status, rec.sent }()
	e.route.Static.ServeHTTP(rec, e.r)
}

// event has a handler function answer, if the request is for one. It is told of the client as apps are.
func (e *exchange) event() bool {
	function, ok := e.route.Events.Takes(e.r)
	if !ok {
		return false
	}
	e.function = function
	e.pace()
	rec := &recorder{ResponseWriter: e.w}
	defer func() { e.status, e.sent = rec.status, rec.sent }()
	e.route.Events.ServeHTTP(rec, e.clean())
	return true
}

// other has the fallback answer.
func (e *exchange) other() {
	e.pace()
	rec := &recorder{ResponseWriter: e.w}
	defer func() { e.status, e.sent = rec.status, rec.sent }()
	e.h.fallback.Serve(rec, e.r, e.clean())
}

// clean is the request as functions see it.
func (e *exchange) clean() *http.Request {
	r := e.r.Clone(e.r.Context())
	for name := range r.Header {
		if !e.forward(name) {
			delete(r.Header, name)
		}
	}
	r.Header.Set("X-Forwarded-For", e.from.via)
	r.Header.Set("X-Forwarded-Host", e.from.host)
	r.Header.Set("X-Forwarded-Proto", e.from.proto)
	r.Header.Set("X-Request-Id", e.id)
	r.RemoteAddr = net.JoinHostPort(e.from.client, "0")
	return r
}

// under reports whether path lies below prefix.
func under(path, prefix string) bool {
	if prefix == "" || prefix == "/" {
		return true
	}
	prefix = strings.TrimSuffix(prefix, "/")
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}
