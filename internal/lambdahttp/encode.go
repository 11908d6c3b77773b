package lambdahttp

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aloft-run/aloft"
)

// Encode returns the event of a request that a server received, with its body read. The header fields go in as they are:
// who calls has set X-Forwarded-For and the like, and dropped what clients may not say. Fields of the connection are left
// out and Content-Length is that of body.
//
// The path is what the client asked for; in the events of HTTP APIs ([APIGatewayV2]) it is decoded, so that "%2F" is "/"
// there, as on AWS; one that is not UTF-8 when decoded stays encoded. No stage is put before it, as behind a custom domain.
//
// It returns Invalid for a format there is not and for an authorizer that is not JSON.
func Encode(f Format, r *http.Request, body []byte, m *Meta) ([]byte, error) {
	if len(m.Authorizer) > 0 && !json.Valid(m.Authorizer) {
		return nil, aloft.Errorf(aloft.Invalid, "encode the event: the authorizer is not JSON")
	}
	e := &encoder{f: f, r: r, m: m, body: body, text: len(body) == 0 || requestIsText(f, r.Header, body)}
	dst := make([]byte, 0, e.size())
	switch f {
	case APIGatewayV2, FunctionURL:
		return e.v2(dst), nil
	case APIGatewayV1:
		return e.v1(dst), nil
	case ALB, ALBMulti:
		return e.alb(dst), nil
	}
	return nil, aloft.Errorf(aloft.Invalid, "encode the event: there is no format %d", int(f))
}

// encoder holds what the parts of an event are made of.
type encoder struct {
	f    Format
	r    *http.Request
	m    *Meta
	body []byte
	text bool
}

// size guesses the event's size, so that usual events are made without a copy.
func (e *encoder) size() int {
	n := 1280 + 4*len(e.r.URL.RawQuery) + 3*len(e.r.URL.Path)
	for name, values := range e.r.Header {
		for _, v := range values {
			n += 2 * (len(name) + len(v) + 8)
		}
	}
	if e.text {
		return n + len(e.body) + len(e.body)/16
	}
	return n + base64.StdEncoding.EncodedLen(len(e.body))
}

// path returns the path as the format has it.
func (e *encoder) path() string {
	path := e.r.URL.EscapedPath()
	if e.f.decodesPath() && utf8.ValidString(e.r.URL.Path) {
		path = e.r.URL.Path
	}
	if !strings.HasPrefix(path, "/") {
		return "/" + path
	}
	return path
}

// headers appends an object with one value for each field, as choose makes it of all.
func (e *encoder) headers(dst []byte, key string, choose func([]string) string) []byte {
	var buf [32]string
	lower, skip := e.f != APIGatewayV1, ""
	if e.f.v2() {
		skip = "Cookie"
	}
	dst = append(appendKey(dst, key), '{')
	e.own(func(name, value string) { dst = appendString(appendName(dst, name, lower), value) })
	for _, name := range fieldNames(e.r.Header, buf[:0], skip) {
		dst = appendString(appendName(dst, name, lower), choose(e.r.Header[name]))
	}
	return append(dst, '}')
}

// multiHeaders appends an object with the list of values of each field.
func (e *encoder) multiHeaders(dst []byte) []byte {
	var buf [32]string
	lower := e.f != APIGatewayV1
	dst = append(appendKey(dst, "multiValueHeaders"), '{')
	e.own(func(name, value string) {
		dst = append(appendString(append(appendName(dst, name, lower), '['), value), ']')
	})
	for _, name := range fieldNames(e.r.Header, buf[:0], "") {
		dst = appendStrings(appendName(dst, name, lower), e.r.Header[name])
	}
	return append(dst, '}')
}

// own passes on the fields that are not in the request's header: Host, and the length of the body.
func (e *encoder) own(add func(name, value string)) {
	if len(e.body) > 0 || e.r.Header.Get("Content-Length") != "" {
		add("Content-Length", strconv.Itoa(len(e.body)))
	}
	if e.r.Host != "" {
		add("Host", e.r.Host)
	}
}
