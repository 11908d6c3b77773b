package gateway_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway"
)

// marked is a fallback that takes what is marked.
type marked struct{}

func (marked) Takes(r *http.Request) bool { return r.Header.Get("Mark") != "" }

func (marked) Serve(w http.ResponseWriter, r, _ *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Proto+" "+r.Host+" "+string(body))
}

// TestClear: HTTP/2 without TLS is served to those who begin with it, for the fallback alone, whatever pieces it comes in; a connection that
// has brought another request cannot change to it. (TestProbes has a gateway without fallback.)
func TestClear(t *testing.T) {
	var seen atomic.Int32
	app := func(http.ResponseWriter, *http.Request) { seen.Add(1) }
	g, _ := begin(t, app, func(c *gateway.Config) { c.Fallback = marked{} })
	dialed := 0
	transport := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		dialed++
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return slowly{c}, nil
	}}
	defer transport.CloseIdleConnections()
	transport.Protocols.SetUnencryptedHTTP2(true)
	ask := func(mark string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.HTTPAddr()+"/", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Mark", mark)
		r.Host = host
		if mark != "" {
			r.Host = "elsewhere"
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for range 3 {
		if status, body := ask("x"); status != http.StatusOK || body != "HTTP/2.0 elsewhere hello" {
			t.Errorf("%d %q", status, body)
		}
	}
	if status, _ := ask(""); status != http.StatusHTTPVersionNotSupported || seen.Load() != 0 {
		t.Errorf("a request for an app: %d, %d reached it", status, seen.Load())
	}
	if dialed != 1 {
		t.Errorf("%d connections", dialed)
	}
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := string([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
	got := raw(t, g.HTTPAddr(), "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n", preface+settings)
	if !strings.HasPrefix(got, "HTTP/1.1 200") || !strings.Contains(got, "HTTP/1.1 4") && !strings.Contains(got, "HTTP/1.1 505") {
		t.Errorf("behind another request: %q", got)
	}
	transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if g.Retire(ctx); ctx.Err() != nil {
		t.Error("connections are still counted")
	}
}

// late answers after its gateway was told to end.
type late struct{ begun, end chan bool }

func (late) Takes(*http.Request) bool { return true }

func (l late) Serve(w http.ResponseWriter, _, _ *http.Request) {
	l.begun <- true
	<-l.end
	_, _ = io.WriteString(w, "late")
}

// TestClearEnds: a gateway that closes waits for requests over HTTP/2 without TLS too.
func TestClearEnds(t *testing.T) {
	l := late{make(chan bool), make(chan bool)}
	g, _ := begin(t, nil, func(c *gateway.Config) { c.Fallback = l })
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	answers := make(chan string, 1)
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.HTTPAddr()+"/", strings.NewReader("x"))
		res, err := transport.RoundTrip(r)
		if err != nil {
			answers <- err.Error()
			return
		}
		text, _ := io.ReadAll(res.Body)
		answers <- string(text)
	}()
	<-l.begun
	closed := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		closed <- g.Close(ctx)
	}()
	select {
	case err := <-closed:
		t.Errorf("it closed before the answer: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(l.end)
	if got := <-answers; got != "late" {
		t.Errorf("the answer is %q", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// slowly writes a few bytes at a time at first, so that the preface comes in pieces.
type slowly struct{ net.Conn }

func (s slowly) Write(p []byte) (int, error) {
	n := min(len(p), 7)
	if _, err := s.Conn.Write(p[:n]); err != nil {
		return 0, err
	}
	time.Sleep(time.Millisecond) // a segment of its own, most likely; either way is a case
	m, err := s.Conn.Write(p[n:])
	return n + m, err
}
