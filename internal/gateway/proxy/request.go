package proxy

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft/internal/edge"
)

const (
	headBuffer  = 1 << 10  // usual heads
	bodyBuffer  = 8 << 10  // heads and the small bodies written with them
	maxKeptHead = 64 << 10 // larger buffers are left to the garbage collector
)

// appendRequest writes the request head for the app into e.head.
func (e *exchange) appendRequest(upgrade bool) {
	r := e.r
	b := append(e.head[:0], r.Method...)
	b = append(b, ' ')
	b = appendTarget(b, r)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, "\r\n"...)
	e.drop = connectionTokens(e.drop[:0], r.Header["Connection"])
	for key, values := range r.Header {
		if !e.forward(key) {
			continue
		}
		for _, v := range values {
			b = appendField(b, key, v)
		}
	}
	b = e.appendIdentity(b)
	switch {
	case upgrade:
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case hasToken(r.Header["Te"], "trailers"):
		b = append(b, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	b = e.appendFraming(b)
	e.head = append(b, "\r\n"...)
}

// appendFraming writes how long the body is.
func (e *exchange) appendFraming(b []byte) []byte {
	r := e.r
	switch {
	case r.ContentLength > 0:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
		b = append(b, "\r\n"...)
	case r.ContentLength < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		if len(r.Trailer) > 0 {
			b = appendTrailerNames(b, r.Trailer)
		}
	case len(r.Header["Content-Length"]) > 0, r.Method == http.MethodPost, r.Method == http.MethodPut, r.Method == http.MethodPatch:
		b = append(b, "Content-Length: 0\r\n"...)
	}
	if e.expects() {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	return b
}

// expects reports whether the client waits for "100 Continue" before it sends the body.
func (e *exchange) expects() bool {
	return e.r.ContentLength != 0 && len(e.r.Header["Expect"]) > 0 && e.r.ProtoAtLeast(1, 1)
}

func appendTrailerNames(b []byte, trailer http.Header) []byte {
	names := make([]string, 0, len(trailer))
	for key := range trailer {
		if !edge.HopByHop(key) && !edge.Ours(key) {
			names = append(names, key)
		}
	}
	if len(names) == 0 {
		return b
	}
	return appendField(b, "Trailer", strings.Join(names, ", "))
}

func appendField(b []byte, key, value string) []byte {
	b = append(b, key...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// target is the request target in origin form.
func target(r *http.Request) string {
	if !strings.HasPrefix(r.RequestURI, "/") && r.RequestURI != "*" { // absolute form
		return r.URL.RequestURI()
	}
	return r.RequestURI
}

// appendTarget writes the request target in origin form, byte for byte as the client sent it, so that the app sees
// "..%2f" and "//" as they came. HTTP/2 lets a space through, which would end the target in HTTP/1.1: it is escaped.
func appendTarget(b []byte, r *http.Request) []byte {
	target := target(r)
	const hex = "0123456789ABCDEF"
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}
