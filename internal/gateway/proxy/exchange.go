package proxy

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

// statusClientClosed is what the log says of a request whose client went away before it had an answer.
const statusClientClosed = 499

// exchange is one request and its response. Exchanges are used again to spare their buffers.
type exchange struct {
	h        *Handler
	w        http.ResponseWriter
	r        *http.Request
	start    time.Time
	id       string // of the request
	from     identity
	route    *route.Route
	function string             // a handler that answers; "" stands for the route's
	up       *upstream.Upstream // Begin was called on it
	given    time.Time          // when; known only if the route has a timeout

	status int   // sent to the client, 0 before
	sent   int64 // bytes of body sent to the client
	cut    bool  // the response is not whole

	conn   *upstream.Conn
	head   []byte   // the request head as written, a small body behind it
	raw    []byte   // the response head as read
	drop   []string // fields that the client's Connection header names
	fields []field  // the response's
	watch  watch

	guarded bool   // a write deadline was set on the client's connection
	body    sender // what of the request body is still to be sent
}

func (h *Handler) begin(w http.ResponseWriter, r *http.Request) *exchange {
	e, ok := h.exchanges.Get().(*exchange)
	if !ok {
		e = &exchange{head: make([]byte, 0, headBuffer), raw: make([]byte, 0, 1024)}
	}
	e.h, e.w, e.r, e.start, e.id, e.from = h, w, r, time.Now(), newID(), h.identify(r)
	header := w.Header()
	header["X-Request-Id"] = []string{e.id}
	if r.ProtoMajor == 1 && slices.ContainsFunc(r.Header["Upgrade"], isWebSocket) {
		header["Connection"] = []string{"close"} // unless the switch happens: what follows was not inspected as HTTP
	}
	return e
}

// end runs also when the handler panics.
func (h *Handler) end(e *exchange) {
	e.watch.end()
	e.body.abort(e)
	if e.conn != nil { // not given back: something went wrong in the middle
		e.conn.Discard()
	}
	if e.up != nil {
		e.up.End()
	}
	if h.access != nil && e.route != nil {
		h.access(e.route.Stage, e.line())
	}
	clear(e.fields)
	*e = exchange{head: e.head[:0], raw: e.raw[:0], fields: e.fields[:0], drop: e.drop[:0]}
	if cap(e.raw) <= maxKeptHead && cap(e.head) <= maxKeptHead {
		h.exchanges.Put(e)
	}
}

// line is what the access log says: method, path, status, bytes, time, client.
func (e *exchange) line() aloft.LogLine {
	took := time.Since(e.start)
	path := e.r.RequestURI
	for i := range len(path) {
		if path[i] == '?' { // a query may hold secrets
			path = path[:i]
			break
		}
	}
	b := e.head[:0]
	b = append(b, e.r.Method...)
	b = append(b, ' ')
	b = append(b, path[:min(len(path), maxLoggedPath)]...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(e.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.sent, 10)
	b = append(b, "B "...)
	b = appendMillis(b, took)
	b = append(b, "ms "...)
	b = append(b, e.from.client...)
	if e.cut {
		b = append(b, " cut"...)
	}
	line := aloft.LogLine{
		Time: e.start.Add(took), Release: e.route.Release, Function: cmp.Or(e.function, e.route.Function), Stream: "access", RequestID: e.id, Text: string(b),
	}
	if e.up != nil {
		line.Instance = e.up.ID
	}
	return line
}

const maxLoggedPath = 2048

// appendMillis writes d in milliseconds with three decimals.
func appendMillis(b []byte, d time.Duration) []byte {
	us := d.Microseconds()
	b = strconv.AppendInt(b, us/1000, 10)
	return append(b, '.', byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
}

// newID returns 128 random bits in hex.
func newID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

func itoa(n int) string { return strconv.Itoa(n) }

func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

// recorder notes what a static handler answers. It keeps the way to sendfile open.
type recorder struct {
	http.ResponseWriter
	status int
	sent   int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the server's writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
