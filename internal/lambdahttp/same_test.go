package lambdahttp_test

import (
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// sameRequest checks that an event decodes to the request it was made of, as far as its format can carry it.
func sameRequest(t *testing.T, f lambdahttp.Format, r *http.Request, body, event []byte) {
	t.Helper()
	e, err := lambdahttp.DecodeEvent(event)
	if err != nil {
		t.Fatalf("%s: %v: %s", f, err, event)
	}
	if e.Format != f || e.Method != r.Method || e.Host != asJSON(r.Host) && r.Host != "" {
		t.Errorf("%s: got format %s, method %q, host %q; want %q, %q", f, e.Format, e.Method, e.Host, r.Method, r.Host)
	}
	if !bytes.Equal(e.Body, body) {
		t.Errorf("%s: body %q, want %q", f, e.Body, body)
	}
	samePath(t, f, r, e)
	sameQuery(t, f, r, e)
	sameHeader(t, f, r, e)
}

func samePath(t *testing.T, f lambdahttp.Format, r *http.Request, e *lambdahttp.Event) {
	t.Helper()
	slash := func(path string) string { return "/" + strings.TrimPrefix(path, "/") }
	got, want := e.URL.EscapedPath(), slash(r.URL.EscapedPath())
	if f == lambdahttp.APIGatewayV2 {
		if !utf8.ValidString(r.URL.Path) {
			return
		}
		got, want = e.URL.Path, slash(r.URL.Path)
	}
	if got != want {
		t.Errorf("%s: path %q, want %q", f, got, want)
	}
}

// sameQuery compares queries: letter by letter in payload format 2.0, by keys and values elsewhere.
func sameQuery(t *testing.T, f lambdahttp.Format, r *http.Request, e *lambdahttp.Event) {
	t.Helper()
	raw := r.URL.RawQuery
	if strings.ContainsFunc(raw, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' }) {
		return // what may not stand in a URL comes back escaped
	}
	switch f {
	case lambdahttp.APIGatewayV2, lambdahttp.FunctionURL:
		if e.URL.RawQuery != raw {
			t.Errorf("%s: query %q, want %q", f, e.URL.RawQuery, raw)
		}
		return
	case lambdahttp.APIGatewayV1, lambdahttp.ALB, lambdahttp.ALBMulti:
	}
	decode := f == lambdahttp.APIGatewayV1
	got, want := pairs(e.URL.RawQuery, decode), pairs(raw, decode)
	if f == lambdahttp.ALB {
		for key, values := range want {
			want[key] = values[len(values)-1:]
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: query %q, want %q", f, got, want)
	}
	for key, values := range want {
		if !slices.Equal(got[key], values) {
			t.Errorf("%s: query key %q: %q, want %q", f, key, got[key], values)
		}
	}
}

func pairs(raw string, decode bool) map[string][]string {
	all := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if decode {
			key, value = asJSON(unescape(key)), asJSON(unescape(value))
		}
		all[key] = append(all[key], value)
	}
	return all
}

func sameHeader(t *testing.T, f lambdahttp.Format, r *http.Request, e *lambdahttp.Event) {
	t.Helper()
	left := e.Header.Clone()
	for name, values := range r.Header {
		if hop(r.Header, name) {
			continue
		}
		var want []string
		switch f {
		case lambdahttp.APIGatewayV2, lambdahttp.FunctionURL:
			want = []string{asJSON(strings.Join(values, ","))}
			if name == "Cookie" {
				want = cookies(values)
			}
		case lambdahttp.APIGatewayV1, lambdahttp.ALBMulti:
			for _, v := range values {
				want = append(want, asJSON(v))
			}
		case lambdahttp.ALB:
			want = []string{asJSON(values[len(values)-1])}
		}
		if !slices.Equal(e.Header[name], want) {
			t.Errorf("%s: header %q: %q, want %q", f, name, e.Header[name], want)
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("%s: headers that were not in the request: %q", f, left)
	}
}

func cookies(fields []string) []string {
	var all []string
	for _, field := range fields {
		for cookie := range strings.SplitSeq(field, ";") {
			if cookie = textproto.TrimString(cookie); cookie != "" {
				all = append(all, asJSON(cookie))
			}
		}
	}
	if all == nil {
		return nil
	}
	return []string{strings.Join(all, "; ")}
}

// hop reports whether a field is of the connection.
func hop(h http.Header, name string) bool {
	for _, v := range h["Connection"] {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return slices.Contains([]string{
		"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Length", "Host",
	}, name)
}

// asJSON returns what is left of text in JSON: bytes that are not UTF-8 are characters of ISO 8859-1.
func asJSON(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
