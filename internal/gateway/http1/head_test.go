package http1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/gateway/http1"
)

const plainHead = "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n"

// TestTaken: what is usual is served, and what anybody could read in another way is not.
func TestTaken(t *testing.T) {
	head := func(line string) string { return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n" }
	for name, text := range map[string]string{
		"plain": plainHead, "post": "POST / HTTP/1.1\r\nhost: a:80\r\nContent-Length: 2\r\n\r\nab", "cookies": head("Cookie: a=b\r\nCookie: c=d"),
		"close": head("Connection: close"), "escaped": strings.Replace(plainHead, "/a/b", "/a%2fb/%20", 1), "empty": head("X:"),
		"no body": head("Content-Length: 0"), "body to come": head("Content-Length: 1"), "much to come": head("Content-Length: 999999999999999999"), "another behind": plainHead + plainHead, "not ASCII": head("X: \xff"),
	} {
		if r, _, _ := http1.Parse([]byte(text)); r == nil {
			t.Errorf("%s: not taken", name)
		}
	}
	for name, text := range map[string]string{
		"CL and TE": head("Content-Length: 3\r\nTransfer-Encoding: chunked"), "TE": head("Transfer-Encoding: chunked"),
		"TE before space": head("Transfer-Encoding : chunked"), "TE, no colon": head("Transfer-Encoding"), "TE tab": head("\tTransfer-Encoding: chunked"),
		"CL twice": head("Content-Length: 0\r\nContent-Length: 0"), "CL signed": head("Content-Length: +0"), "CL list": head("Content-Length: 0, 0"),
		"CL empty": head("Content-Length:"), "CL huge": head("Content-Length: 1000000000000000000"), "CL hex": head("Content-Length: 0x0"),
		"folded": head("A: b\r\n c"), "folded by a tab": head("A: b\r\n\tc"), "first line folded": "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
		"bare LF": strings.Replace(plainHead, "*/*\r\n", "*/*\n", 1), "bare LFs": strings.ReplaceAll(plainHead, "\r\n", "\n"),
		"bare CR": head("A: b\rContent-Length: 3"), "NUL": head("A: b\x00"), "DEL": head("A: b\x7f"), "no name": head(": b"), "NUL in name": head("A\x00: b"),
		"two hosts": head("Host: a"), "two hosts that differ": head("Host: b"), "no host": "GET / HTTP/1.1\r\n\r\n", "empty host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"empty host and one": "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n", "odd host": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "user in host": "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n",
		"absolute": "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "authority": "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"old": "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "new": "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "no version": "GET /\r\nHost: a\r\n\r\n", "1.10": "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
		"two spaces": "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "tab": "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "space in target": "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
		"space at the end": "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "fragment": "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "bad escape": "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"lower case": "get / HTTP/1.1\r\nHost: a\r\n\r\n", "empty line first": "\r\n" + plainHead, "upgrade": head("Upgrade: websocket\r\nConnection: Upgrade"),
		"expect": head("Content-Length: 1\r\nExpect: 100-continue"), "named by Connection": head("Connection: close, X-Forwarded-For"),
		"trailer": head("Trailer: X"), "TRACE": "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		if r, _, more := http1.Parse([]byte(text)); r != nil || more {
			t.Errorf("%s: taken, or more is waited for", name)
		}
	}
	for n := range len(plainHead) {
		if r, _, more := http1.Parse([]byte(plainHead[:n])); r != nil || !more {
			t.Errorf("%q: more is not waited for", plainHead[:n])
		}
	}
}

// FuzzParse: what is taken net/http reads in the same way, and what comes behind it or in pieces does not change it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		plainHead, "POST //x/%2f?a?b HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\nA: 1\r\na:\t2 \r\n\r\nabcGET", "GET /? HTTP/1.1\r\nHost: [::1]\r\nPragma: no-cache\r\n\r\n",
		"HEAD /;a:b@c!d HTTP/1.1\r\nhOST: a\r\nConnection: Close\r\nX!#: \xff\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, size, _ := http1.Parse(slices.Clone(data))
		if ours == nil || ours.ContentLength > int64(len(data)-size) {
			return
		}
		from := bufio.NewReader(bytes.NewReader(data))
		theirs, err := http.ReadRequest(from)
		if err != nil {
			t.Fatalf("net/http does not take %q: %v", data, err)
		}
		if hosts := theirs.Header["Host"]; len(hosts) > 1 {
			t.Fatalf("hosts %q", hosts)
		}
		delete(theirs.Header, "Host")
		body, err := io.ReadAll(theirs.Body)
		if err != nil || int64(len(body)) != ours.ContentLength {
			t.Fatalf("a body of %d bytes, %v; want %d", len(body), err, ours.ContentLength)
		}
		if rest, _ := io.ReadAll(from); size+int(ours.ContentLength) != len(data)-len(rest) {
			t.Fatalf("%d of %d bytes are taken, by net/http all but %d", size, len(data), len(rest))
		}
		ours.Body, theirs.Body = nil, nil
		if !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%q\nours   %+v %+v\ntheirs %+v %+v", data, ours, ours.URL, theirs, theirs.URL)
		}
		for n := range size {
			if _, _, more := http1.Parse(data[:n]); !more {
				t.Fatalf("of %q %d bytes are not waited for", data, n)
			}
		}
	})
}
