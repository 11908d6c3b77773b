package proxy_test

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// FuzzResponse: whatever an app says, what we accept net/http accepts too and understands alike, so that no one behind us
// can be made to see another response.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nok", "HTTP/1.1 204\r\n\r\n", "HTTP/1.0 200 OK\n\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
		"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		status, fields, err := proxy.ReadResponse(bufio.NewReaderSize(bytes.NewReader(data), 16), 4096)
		if err != nil {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
		if err != nil {
			t.Fatalf("accepted, but net/http says %v", err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Fatalf("status %d, net/http %d", status, res.StatusCode)
		}
		for _, kv := range fields {
			if kv[0] == "Content-Length" || kv[0] == "Transfer-Encoding" || kv[0] == "Trailer" || kv[0] == "Connection" {
				continue // net/http takes these away
			}
			if !slices.Contains(res.Header[kv[0]], kv[1]) {
				t.Fatalf("field %q, net/http has %q", kv, res.Header[kv[0]])
			}
			if strings.ContainsAny(kv[1], "\r\n\x00") || strings.ContainsAny(kv[0], " \r\n:") {
				t.Fatalf("field %q", kv)
			}
		}
	})
}

// FuzzHost: looking a host up twice leads to one place, and no valid host holds a byte that means something in a head.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"app.localhost", "APP.localhost:7070", "a.", "[::1]:80", "[::1]", ":80", "a:b", "a b", "a\r\nb", "ä.de", "", "[", "]", "a]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := proxy.HostOf(s)
		if !proxy.ValidHost(s) {
			return
		}
		if strings.ContainsAny(s, " \t\r\n\x00/\\?#@") {
			t.Fatalf("%q is said to be valid", s)
		}
		if h != strings.ToLower(h) || strings.HasSuffix(h, "..") != strings.HasSuffix(strings.TrimSuffix(hostname(s), "."), "..") {
			t.Fatalf("%q becomes %q", s, h)
		}
	})
}

func hostname(s string) string {
	if i := strings.IndexByte(s, ':'); i >= 0 && s[0] != '[' {
		return s[:i]
	}
	return s
}

func TestHostNoAllocation(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { proxy.HostOf("app-staging.localhost:7070") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFrames(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                 true,
		"\x81":                             false,
		"\x81\x00":                         true,
		"\x81\x02h":                        false,
		"\x81\x02hi":                       true,
		"\x01\x02hi\x80\x00":               true,
		"\x82\x7e\x00\x03abc":              true,
		"\x82\x7e\x00":                     false,
		"\x82\x7f\x00\x00\x00\x00\x00\x00": false,
		"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x01x": true,
		"\x82\x81abcdx": true,
		"\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01abcdx": true,
	} {
		if got := proxy.Frames([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
		var bytewise [][]byte
		for i := range len(text) {
			bytewise = append(bytewise, []byte{text[i]})
		}
		if got := proxy.Frames(bytewise...); got != want {
			t.Errorf("%q byte by byte: %v", text, got)
		}
	}
}
