package lambdahttp_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

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
