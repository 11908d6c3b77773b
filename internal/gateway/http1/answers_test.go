package http1_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}

var date = regexp.MustCompile(`\r\nDate: [^\r]* GMT\r\n`)

// talk sends pieces, and after each waits for an answer unless it is the last; it returns all bytes that come until the end.
func talk(t *testing.T, addr, method string, pieces ...string) string {
	t.Helper()
	c := dial(t, addr)
	var all strings.Builder
	r := bufio.NewReader(io.TeeReader(c, &all))
	for _, p := range pieces[:len(pieces)-1] {
		io.WriteString(c, p)
		if !heard(r, method) { // or writing more might reset what is still to come
			c.CloseWrite()
			break
		}
	}
	io.WriteString(c, pieces[len(pieces)-1])
	io.Copy(io.Discard, r)
	return date.ReplaceAllString(all.String(), "\r\nDate: D\r\n")
}

// heard reads an answer and reports whether another one may follow.
func heard(r *bufio.Reader, method string) bool {
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return false
		}
		if _, err = io.Copy(io.Discard, res.Body); err != nil || res.Close {
			return false
		}
		if res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			return true
		}
	}
}

const last = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// TestAnswers: handlers of all kinds are answered as by net/http, byte for byte.
func TestAnswers(t *testing.T) {
	p := start(t, answers(t))
	silent := 0
	for path := range kinds {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			request := method + " " + path + " HTTP/1.1\r\nHost: a\r\n"
			if method == "POST" {
				request += "Content-Length: 3\r\n\r\nabc"
			} else {
				request += "\r\n"
			}
			before := p.active.Load()
			ours := talk(t, p.ours, method, request, request, last) // twice: what a handler set is gone
			if p.active.Load() == before {
				t.Errorf("%s %s: it was not the Server that answered", method, path)
			}
			if theirs := talk(t, p.alone, method, request, request, last); ours != theirs {
				t.Errorf("%s %s\nours   %.600q\ntheirs %.600q", method, path, ours, theirs)
			}
			if ours == "" {
				silent++
			}
		}
	}
	if silent != 9 { // three handlers fail before they say anything
		t.Errorf("%d requests have no answer", silent)
	}
}

// TestRequests: odd, broken, old and slow requests are answered as by net/http, alone, behind another one, and in pieces.
func TestRequests(t *testing.T) {
	p := start(t, answers(t))
	var wg sync.WaitGroup
	for name, text := range requests() {
		for _, before := range []string{"", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"} {
			wg.Go(func() {
				text := before + text
				for _, cut := range []int{len(text), len(text) / 2, max(0, len(text)-1)} {
					send := func(addr string) string {
						c := dial(t, addr)
						io.WriteString(c, text[:cut])
						if cut < len(text) {
							time.Sleep(time.Millisecond) // a segment of its own, most likely; either way is a case
							io.WriteString(c, text[cut:])
						}
						c.CloseWrite()
						all, _ := io.ReadAll(c)
						return date.ReplaceAllString(string(all), "\r\nDate: D\r\n")
					}
					if ours, theirs := send(p.ours), send(p.alone); ours != theirs {
						t.Errorf("%s, cut at %d of %d\nours   %.600q\ntheirs %.600q", name, cut, len(text), ours, theirs)
					}
				}
			})
		}
	}
	wg.Wait()
}

// TestPipeline: requests that come at once are answered in their order, with bodies and odd ones between.
func TestPipeline(t *testing.T) {
	p := start(t, answers(t))
	var text strings.Builder
	for i := range 200 {
		switch {
		case i%7 == 3:
			fmt.Fprintf(&text, "POST /echo?%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody%d", i, i%10)
		case i == 150: // from here on it is theirs
			fmt.Fprintf(&text, "POST /echo?%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", i)
		default:
			fmt.Fprintf(&text, "GET /%s?%d HTTP/1.1\r\nHost: a\r\n\r\n", []string{"echo", "chunks", "hold"}[i%3], i)
		}
	}
	text.WriteString(last)
	theirs := talk(t, p.alone, "", text.String())
	for _, size := range []int{text.Len(), 1000, 7} {
		c := dial(t, p.ours)
		go func() {
			for rest := text.String(); rest != ""; rest = rest[min(size, len(rest)):] {
				io.WriteString(c, rest[:min(size, len(rest))])
			}
		}()
		all, _ := io.ReadAll(c)
		if ours := date.ReplaceAllString(string(all), "\r\nDate: D\r\n"); ours != theirs {
			t.Errorf("in pieces of %d: %d bytes came, want %d", size, len(ours), len(theirs))
		}
	}
	if n := p.active.Load(); n < 300 {
		t.Errorf("the Server answered %d requests", n)
	}
}
