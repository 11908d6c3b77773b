// Package route says which stage and function answers a request. A deploy swaps the table; readers take no lock.
package route

import (
	"context"
	"net/http"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/upstream"
)

// Route leads from hosts to what answers there. A Route is immutable once it is in a Table.
type Route struct {
	Stage    aloft.StageRef
	Hosts    []string // lower-case, without port; the stage's own first
	Release  int
	Function string
	Timeout  time.Duration // until the response headers; 0 means none
	Backend  Backend       // web functions; nil if only Static answers
	Static   Files         // static functions, asked with the whole path; nil if none
	Events   Events        // handler functions, asked first; nil if there are none
	Hidden   string        // the path below which the web function gets events, closed to requests; "" if there is none
	Prefix   string        // the path below which Static answers; "" or "/" is everything
}

// Files answers with files. Beside a Backend it answers only for the paths it has.
type Files interface {
	http.Handler
	// Has reports whether there is a file for a URL path, index pages and redirects to them included.
	Has(urlPath string) bool
}

// Events answers requests by events for handler functions.
type Events interface {
	http.Handler
	// Takes returns the name of the one that a request is for; false if it is for none.
	Takes(r *http.Request) (function string, ok bool)
}

// Fallback answers requests to hosts that lead to no stage.
type Fallback interface {
	// Takes reports whether a request is for it.
	Takes(r *http.Request) bool
	// Serve answers. R is the request as the client sent it, clean the same as functions see it: with the gateway's word on
	// who the client is, and without what clients must not say. They share a body.
	Serve(w http.ResponseWriter, r, clean *http.Request)
}

// Backend picks an instance for a request.
type Backend interface {
	// Acquire returns an instance on which Begin was called, waiting a bounded time for one to be ready. The caller calls
	// End on it once. If none becomes ready it returns an *Unavailable.
	Acquire(ctx context.Context) (*upstream.Upstream, error)
}

// Unavailable says why no instance takes the request and when to try again.
type Unavailable struct {
	Reason     string // for the error page and the log: "stopped", "starting", "crashed: exit status 1"
	RetryAfter time.Duration
}

// Error returns the reason.
func (u *Unavailable) Error() string { return "no instance is ready: " + u.Reason }
