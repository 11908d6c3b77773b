package lambdahttp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// FuzzRequest: whatever request a server takes, its event is JSON and decodes to the same request, in each format.
func FuzzRequest(f *testing.F) {
	for _, s := range []struct{ head, body string }{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
		{"POST /a%2Fb/%E9/+?q=a+b&q=%2f&&x&=y&%zz= HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=1; b=\"2\"\r\nCookie: ;c\r\nX: 1\r\nx: 2\r\nContent-Type: text/plain\r\n\r\n", "ä\n\""},
		{"PUT //a/../%00?\xe9#x HTTP/1.0\r\nX: \xe9\r\nConnection: Y\r\nY: 1\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n", "\x00\xff"},
		{"OPTIONS * HTTP/1.1\r\nHost: ä\r\nContent-Type: application/json; x\r\n\r\n", "{}"},
		{"HEAD http://b:80/x?y HTTP/1.1\r\nHost: a\r\nX_y: \"\\\t\r\nUser-Agent:\r\n\r\n", ""},
	} {
		f.Add([]byte(s.head), []byte(s.body))
	}
	f.Fuzz(func(t *testing.T, head, body []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil || !served(r) {
			return
		}
		for _, format := range formats {
			event, err := lambdahttp.Encode(format, r, body, meta(format))
			if err != nil || !json.Valid(event) {
				t.Fatalf("%s: %v: %q", format, err, event)
			}
			sameRequest(t, format, r, body, event)
		}
	})
}

// served reports whether net/http's server passes a request on that [http.ReadRequest] takes: it looks at the fields then.
func served(r *http.Request) bool {
	if r.Method == http.MethodConnect || strings.ContainsFunc(r.Host, blank) {
		return false
	}
	for name, values := range r.Header {
		if strings.ContainsFunc(name, func(c rune) bool {
			return c >= 0x80 || c <= ' ' || strings.ContainsRune("\"(),/:;<=>?@[\\]{}\x7f", c)
		}) || name == "" {
			return false
		}
		for _, v := range values {
			if strings.ContainsFunc(v, control) {
				return false
			}
		}
	}
	return true
}

func control(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

func blank(c rune) bool { return c <= ' ' || c == 0x7f }

// FuzzDecodeEvent: whatever an event says, what is accepted is one request line and fields that net/http takes.
func FuzzDecodeEvent(f *testing.F) {
	for _, s := range []string{
		`{"version":"2.0","rawPath":"/a b","rawQueryString":"a b","cookies":["a"],"headers":{"host":"x"},"requestContext":{"http":{"method":"GET","sourceIp":"::1"},"domainName":"a.lambda-url.b"},"body":"YQ==","isBase64Encoded":true}`,
		`{"version":"1.0","path":"/%","httpMethod":"GET","multiValueHeaders":{"a":["b"]},"multiValueQueryStringParameters":{"a":["b c"]},"requestContext":{"identity":{"sourceIp":"1"}}}`,
		`{"path":"/%zz","httpMethod":"GET","queryStringParameters":{"a":"b c"},"headers":{"x-forwarded-for":"1, 2"},"requestContext":{"elb":{}}}`,
		`{"rawPath":"/","requestContext":{"http":{"method":"GET"},"domainName":"a\r\nX: 1"}}`,
		`{"type":"TOKEN"}`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := lambdahttp.DecodeEvent(data)
		if err != nil {
			return
		}
		if strings.ContainsFunc(e.Host, blank) {
			t.Fatalf("the host is %q", e.Host)
		}
		var b bytes.Buffer
		r := http.Request{Method: e.Method, URL: e.URL, Host: "host", Header: e.Header}
		if err := r.Write(&b); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		back, err := http.ReadRequest(bufio.NewReader(&b))
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		if back.Method != e.Method || back.URL.Path != e.URL.Path || back.URL.RawQuery != e.URL.RawQuery || back.RequestURI != e.URL.RequestURI() {
			t.Fatalf("%s %s became %s %s", e.Method, e.URL, back.Method, back.URL)
		}
	})
}

// FuzzScan: what the scanner takes encoding/json takes too, and understands alike.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"a":"b\n","c":[1,-0.5e+3,true,false,null,{"d":{}}],"a":""}`, `{}`, `{"a":01}`, `{"a":"` + "\x01" + `"}`, `{"a":"\u00zz"}`, `{"\u0061":1}`,
		"{\"a\":\"\xff\"}", ` { "a" : "\ud83d\ude00" } `, `{"a":1,}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`, `{"a":[1,]}`, `{"a":[[1],"x"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, values, ok := lambdahttp.Scan(data)
		if !ok {
			return
		}
		slowKeys, slowValues, ok := lambdahttp.ScanSlowly(data)
		if !ok || !json.Valid(data) || !slices.Equal(keys, slowKeys) {
			t.Fatalf("%q: keys %q, encoding/json %q", data, keys, slowKeys)
		}
		for i, v := range values {
			if !bytes.Equal(v, slowValues[i]) {
				t.Fatalf("%q: value %q, encoding/json %q", data, v, slowValues[i])
			}
			sameValue(t, v)
		}
	})
}

func sameValue(t *testing.T, v []byte) {
	t.Helper()
	switch v[0] {
	case '"':
		got, err := lambdahttp.Text(v)
		var want string
		if wrong := json.Unmarshal(v, &want); err != nil || wrong != nil || got != want {
			t.Fatalf("%q: %q (%v), encoding/json %q (%v)", v, got, err, want, wrong)
		}
	case '[':
		fast, slow, err := lambdahttp.Elements(v)
		if err != nil || !slices.EqualFunc(fast, slow, bytes.Equal) {
			t.Fatalf("%q: elements %q, encoding/json %q: %v", v, fast, slow, err)
		}
	}
}
