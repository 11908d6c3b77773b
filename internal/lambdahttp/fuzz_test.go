package lambdahttp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

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
	if r.Method == http.MethodConnect || strings.ContainsFunc(r.Host, control) {
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

// FuzzDecodeReply: whatever a function replies, what is accepted cannot split a response, and HEAD has no body.
func FuzzDecodeReply(f *testing.F) {
	for _, s := range []string{
		`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"a":["c"]},"cookies":["d"],"body":"e","isBase64Encoded":false}`,
		`{"statusCode":"200","body":"YQ==","isBase64Encoded":true}`, `{"statusCode":2e2}`, `"a\ud800\n"`, `[1]`, `null`, ``, `{"a":1}`,
		`{"statusCode":200,"headers":{"a\r\n":"b\u0000"}}`, `{"statusCode":200,"headers":{"a":1,"A":true,"b":null}}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r, err := lambdahttp.DecodeReply(format, method, data)
				if err == nil {
					safe(t, r)
					body, err := io.ReadAll(r.Body)
					if err != nil || method == http.MethodHead && len(body) > 0 || r.Length >= 0 && r.Length != int64(len(body)) {
						t.Fatalf("%s: body %q, length %d: %v", method, body, r.Length, err)
					}
				}
			}
		}
	})
}

// safe checks that net/http reads a reply as one response with the fields it has.
func safe(t *testing.T, r *lambdahttp.Reply) {
	t.Helper()
	var b bytes.Buffer
	res := http.Response{StatusCode: r.Status, ProtoMajor: 1, ProtoMinor: 1, Header: r.Header}
	if err := res.Write(&b); err != nil {
		t.Fatal(err)
	}
	back, err := http.ReadResponse(bufio.NewReader(&b), nil)
	if err != nil || back.StatusCode != r.Status {
		t.Fatalf("%+v: %v", r, err)
	}
	if err := back.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for name, values := range r.Header {
		for i, v := range values {
			if got := back.Header[name]; len(got) != len(values) || got[i] != v {
				t.Fatalf("header %q: %q, want %q", name, got, values)
			}
		}
	}
}

// FuzzReply: a response becomes a reply that decodes to the same response, in each format.
func FuzzReply(f *testing.F) {
	f.Add(200, "text/html", "", "a", "b", []byte("<a>"))
	f.Add(404, "", "gzip", "ä\xff", "\t\"", []byte("\x00\x1b"))
	f.Add(599, "application/json", "", "", "a=1; b", []byte("\xff"))
	f.Fuzz(func(t *testing.T, status int, contentType, encoding, value, cookie string, body []byte) {
		h := http.Header{"X-Value": {value, value + "2"}, "Set-Cookie": {cookie, "x=" + cookie, "y"}}
		if contentType != "" || len(body) > 0 {
			h.Set("Content-Type", contentType)
		}
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		for _, format := range formats {
			data, err := lambdahttp.EncodeReply(format, status, h, body)
			if err != nil {
				if status >= 200 && status <= 599 {
					t.Fatal(err)
				}
				return
			}
			r, err := lambdahttp.DecodeReply(format, http.MethodGet, data)
			if err != nil {
				if !strings.ContainsFunc(contentType+encoding+value+cookie, control) {
					t.Fatalf("%s: %v: %q", format, err, data)
				}
				return
			}
			got, err := io.ReadAll(r.Body)
			if err != nil || r.Status != status || status != 204 && status != 304 && !bytes.Equal(got, body) {
				t.Fatalf("%s: %d, body %q, want %d, %q: %v", format, r.Status, got, status, body, err)
			}
			sameFields(t, format, r.Header, h)
		}
	})
}

func sameFields(t *testing.T, f lambdahttp.Format, got, want http.Header) {
	t.Helper()
	for name, values := range want {
		if name != "Set-Cookie" && (f == v2 || f == furl || f == alb) {
			values = []string{strings.Join(values, ",")}
		}
		var expect []string
		for _, v := range values {
			expect = append(expect, strings.Trim(asJSON(v), " \t"))
		}
		if !slices.Equal(got[name], expect) {
			t.Errorf("%s: header %s: %q, want %q", f, name, got[name], expect)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: header %q, want %q", f, got, want)
	}
}

// FuzzDecodeEvent: whatever an event says, what is accepted is one request line and fields that net/http takes.
func FuzzDecodeEvent(f *testing.F) {
	for _, s := range []string{
		`{"version":"2.0","rawPath":"/a b","rawQueryString":"a b","cookies":["a"],"headers":{"host":"x"},"requestContext":{"http":{"method":"GET","sourceIp":"::1"},"domainName":"a.lambda-url.b"},"body":"YQ==","isBase64Encoded":true}`,
		`{"version":"1.0","path":"/%","httpMethod":"GET","multiValueHeaders":{"a":["b"]},"multiValueQueryStringParameters":{"a":["b c"]},"requestContext":{"identity":{"sourceIp":"1"}}}`,
		`{"path":"/%zz","httpMethod":"GET","queryStringParameters":{"a":"b c"},"headers":{"x-forwarded-for":"1, 2"},"requestContext":{"elb":{}}}`,
		`{"type":"TOKEN"}`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := lambdahttp.DecodeEvent(data)
		if err != nil {
			return
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

// FuzzReadStream: a stream means the same however it is cut.
func FuzzReadStream(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":"b"},"cookies":["c"]}` + nuls + "body"))
	f.Add([]byte(nuls))
	f.Add([]byte("{}" + nuls[1:] + "x" + nuls + nuls))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, err := lambdahttp.ReadStream(lambdahttp.IntegrationType, bytes.NewReader(data))
		parts, err2 := lambdahttp.ReadStream(lambdahttp.IntegrationType, iotest.OneByteReader(bytes.NewReader(data)))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, in parts %v", err, err2)
		}
		if err != nil {
			return
		}
		safe(t, whole)
		body, err := io.ReadAll(whole.Body)
		body2, err2 := io.ReadAll(parts.Body)
		if errors.Join(err, err2) != nil || !bytes.Equal(body, body2) || whole.Status != parts.Status {
			t.Fatalf("%q and %q: %v, %v", body, body2, err, err2)
		}
	})
}
