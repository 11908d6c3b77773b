package http1_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// kinds are handlers by path.
var kinds = map[string]http.HandlerFunc{
	"/nothing":  func(http.ResponseWriter, *http.Request) {},
	"/hello":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") },
	"/markup":   func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>hello") },
	"/echo":     echo,
	"/sized":    with("Content-Type", "a/b", "Content-Length", "5")(say("hel", "lo")),
	"/short":    with("Content-Type", "a/b", "Content-Length", "9")(say("hel", "lo")),
	"/short2":   with("Content-Length", "9")(say("hel", "lo")),
	"/long":     with("Content-Type", "a/b", "Content-Length", "4")(say("hel", "lo")),
	"/untyped":  with("Content-Length", "5")(say("hel", "lo")),
	"/nil":      func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil; io.WriteString(w, "x") },
	"/gzip":     with("Content-Encoding", "gzip")(say("hello")),
	"/chunks":   say("a", flush, "bc", flush, "", flush, "def"),
	"/first":    say(flush, "abc"),
	"/hold":     say(strings.Repeat("x", 2048)),
	"/hold2":    say(strings.Repeat("x", 2049)),
	"/hold3":    say(strings.Repeat("x", 1000), strings.Repeat("y", 3000), strings.Repeat("z", 70000), "end"),
	"/large":    with("Content-Type", "a/b", "Content-Length", "74003")(say(strings.Repeat("x", 1000), strings.Repeat("y", 3000), strings.Repeat("z", 70000), "end")),
	"/204":      with("Content-Length", "3", "Content-Type", "a/b", "Transfer-Encoding", "chunked")(status(204, say("abc"))),
	"/304":      with("Content-Length", "3", "Content-Type", "a/b", "Etag", "x")(status(304, say("abc"))),
	"/304-":     status(304, say()),
	"/500":      status(500, say("error")),
	"/299":      status(299, say("odd")),
	"/twice":    status(201, status(202, say("x"))),
	"/101":      status(101, say()),
	"/hints":    with("Link", "</a>", "Content-Length", "3")(status(103, status(103, say("abc")))),
	"/hints-":   status(103, say("abc")),
	"/close":    with("Connection", "close")(say("x")),
	"/Close":    with("Connection", "Close")(say("x")),
	"/closes":   with("Connection", "x, close")(say("x")),
	"/kept":     with("Connection", "keep-alive")(say("x")),
	"/identity": with("Transfer-Encoding", "identity")(say("x", flush, "y")),
	"/chunked":  with("Transfer-Encoding", "chunked", "Content-Length", "3")(say("x", flush, "yz")),
	"/coded":    with("Transfer-Encoding", "gzip")(say("x")),
	"/date":     with("Date", "yesterday")(say("x")),
	"/lines":    with("A", " b\r\nC: d\n", "E", "")(say("x")),
	"/names":    with("A B", "c", "D\r\nE", "f", "ok", "g", "", "h")(say("x")),
	"/many":     with("B", "1", "A", "2", "B", "3", "Z", "4", "C", "5")(say("x")),
	"/trailer":  with("Trailer", "B, a,Content-Length", "B", "early")(say("x", flush, "y", "", trailer)),
	"/trailer2": say("x", flush, "y", trailer),
	"/trailer3": with(http.TrailerPrefix+"Early", "1")(say("x", trailer)),
	"/late": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.Header().Set("Late", "1")
		io.WriteString(w, "x")
	},
	"/latest": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x"); w.Header().Set("Late", "1") },
	"/cut":    say("x", flush, "y", http.ErrAbortHandler),
	"/cut2":   with("Content-Type", "a/b", "Content-Length", "9")(say("x", http.ErrAbortHandler)),
	"/cut3":   say(http.ErrAbortHandler),
	"/panic":  say("x", flush, errors.New("a fault")),
	"/bounds": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) },
	"/from":   from(0, 100, false),
	"/from2":  from(0, 100000, false),
	"/from3":  from(3, 100000, true),
	"/from4":  with("Content-Type", "a/b", "Content-Length", "100000")(from(0, 100000, false)),
	"/from5":  with("Content-Length", "100001")(from(1, 100000, true)),
	"/from6":  with("Content-Length", "99999")(from(0, 100000, true)),
	"/control": func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		c := http.NewResponseController(w)
		fmt.Fprint(w, c.SetReadDeadline(time.Now().Add(time.Hour)), c.SetWriteDeadline(time.Now().Add(time.Hour)), c.EnableFullDuplex(), c.Flush())
	},
	"/half": func(w http.ResponseWriter, r *http.Request) {
		n, err := io.ReadFull(r.Body, make([]byte, 5000))
		fmt.Fprint(w, n, err)
	},
	"/begun": func(w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 16))
		w.(http.Flusher).Flush()
		rest, err := io.ReadAll(r.Body) // what is missing must not be taken for the end
		fmt.Fprintf(w, "%d %.16q %v", len(rest), rest, err)
	},
	"/shut": func(w http.ResponseWriter, r *http.Request) {
		err := r.Body.Close()
		n, readErr := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err, n, readErr)
	},
	"/duplex": func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		fmt.Fprint(w, strings.Repeat("x", 5000))
		w.(http.Flusher).Flush()
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	},
	"/over": func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		c.SetReadDeadline(time.Unix(1, 0)) // of this request, not of the next
		io.WriteString(w, "x")
	},
}

const flush = "\x00flush"

type setTrailer struct{}

var trailer setTrailer

func say(what ...any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, x := range what {
			switch x := x.(type) {
			case string:
				if x == flush {
					w.(http.Flusher).Flush()
				} else if _, err := w.Write([]byte(x)); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrContentLength) {
					panic(err)
				}
			case setTrailer:
				w.Header().Set("A", "1")
				w.Header().Add("B", "2")
				w.Header().Set(http.TrailerPrefix+"C", "3")
			case error:
				panic(x)
			}
		}
	}
}

func with(fields ...string) func(http.HandlerFunc) http.HandlerFunc {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for f := range slices.Chunk(fields, 2) {
				w.Header()[f[0]] = append(w.Header()[f[0]], f[1])
			}
			next(w, r)
		}
	}
}

func status(code int, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); next(w, r) }
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %q %d %v %q %v %v %v\n", r.Method, r.RequestURI, r.Proto, r.Host, r.ContentLength, r.Close, body, err, r.TLS, r.URL)
	r.Header.Write(w)
}

func from(before, size int, flushed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		dir, _ := os.MkdirTemp("", "http1-")
		defer os.RemoveAll(dir)
		f, _ := os.Create(filepath.Join(dir, "f"))
		defer f.Close()
		f.Write(make([]byte, size))
		f.Seek(0, io.SeekStart)
		if before > 0 {
			w.Write(make([]byte, before))
		}
		if flushed {
			w.(http.Flusher).Flush()
		}
		w.(io.ReaderFrom).ReadFrom(f)
	}
}

func answers(*testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h := kinds[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		echo(w, r)
	}
}

// requests are texts of requests, of which each ends its connection or is followed by the end of what the client sends.
func requests() map[string]string {
	head := func(line string) string { return "GET /echo HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n" }
	post := func(line, body string) string {
		return "POST /echo HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n" + body + last
	}
	all := map[string]string{
		"plain": plainHead, "close": last, "nothing": "", "some": "GET / HT", "garbage": "\x16\x03\x01\x02\x00\x01\n\n", "empty line": "\r\n" + last,
		"empty lines": "\n\n" + last, "old": "GET /echo HTTP/1.0\r\n\r\n", "old, kept": "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /chunks HTTP/1.0\r\n\r\n",
		"bare LF": "GET /echo HTTP/1.1\nHost: a\nA: b\n\n" + last, "mixed": "GET /echo HTTP/1.1\r\nHost: a\nA: b\r\n\r\n" + last, "folded": head("A: b\r\n c") + last,
		"space before colon": head("A : b"), "no colon": head("A"), "no name": head(": b"), "NUL": head("A: b\x00"), "DEL": head("A: \x7f"), "not ASCII": head("A: \xff"),
		"CL TE": post("Content-Length: 3\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"), "TE": post("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"),
		"TE odd": post("Transfer-Encoding: xchunked", "abc"), "CL twice": post("Content-Length: 3\r\nContent-Length: 3", "abc"), "CL differs": post("Content-Length: 3\r\nContent-Length: 4", "abc"),
		"CL signed": post("Content-Length: +3", "abc"), "CL empty": post("Content-Length:", ""), "CL 0": post("Content-Length: 00", ""), "CL large": post("Content-Length: 9000", strings.Repeat("x", 9000)),
		"two hosts": head("Host: a"), "no host": "GET / HTTP/1.1\r\n\r\n", "empty host": "GET / HTTP/1.1\r\nHost:\r\n\r\n", "odd host": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"absolute": "GET http://b/echo?x HTTP/1.1\r\nHost: a\r\n\r\n" + last, "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + last, "connect": "CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/3": "GET / HTTP/3.0\r\nHost: a\r\n\r\n", "preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "space": "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "escape": "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"fragment": "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n" + last, "slashes": "GET //b//c/../%2e HTTP/1.1\r\nHost: a\r\n\r\n" + last, "lower": "get / HTTP/1.1\r\nHost: a\r\n\r\n" + last,
		"large head": head("A: " + strings.Repeat("x", 20000)), "too large": head("A: " + strings.Repeat("x", 60000)), "many lines": head(strings.Repeat("A: b\r\n", 5000) + "C: d"),
		"expect": post("Content-Length: 3\r\nExpect: 100-continue", "abc"), "expect odd": head("Expect: x"), "upgrade": head("Upgrade: h2c\r\nConnection: Upgrade") + last,
		"pragma": head("Pragma: no-cache") + last, "te": head("Te: trailers\r\nConnection: TE, close"), "line after body": post("Content-Length: 3", "abc\r\n"),
		"lines after body": post("Content-Length: 3", "abc\r\n\r\n\r\n"), "short body": "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "get with body": "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + last,
	}
	for _, path := range []string{"/echo", "/hello", "/half", "/begun", "/shut", "/duplex", "/close", "/cut"} {
		for _, size := range []int{100, 5000, 100_000, 300_000} { // what is left of the last is not read
			all[fmt.Sprint(path, " of ", size)] = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, size) + strings.Repeat("y", size) + last
		}
	}
	return all
}
