package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

const host = "app.localhost"

// backend is a route.Backend with one instance.
type backend struct{ up *upstream.Upstream }

func (b backend) Acquire(context.Context) (*upstream.Upstream, error) {
	if !b.up.Begin() {
		return nil, &route.Unavailable{Reason: "stopped", RetryAfter: 1500 * time.Millisecond}
	}
	return b.up, nil
}

// bench is a gateway in front of an app.
type bench struct {
	fallback route.Fallback
	up       *upstream.Upstream
	table    *route.Table
	server   *httptest.Server
	dials    *counter
	lines    *lines
	limits   proxy.Limits
	trusted  []netip.Prefix
	timeout  time.Duration
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() { c.mu.Lock(); c.n++; c.mu.Unlock() }
func (c *counter) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

type lines struct {
	mu   sync.Mutex
	list []aloft.LogLine
}

func (l *lines) add(_ aloft.StageRef, line aloft.LogLine) {
	l.mu.Lock()
	l.list = append(l.list, line)
	l.mu.Unlock()
}

func (l *lines) wait(t *testing.T, n int) []aloft.LogLine {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		l.mu.Lock()
		if len(l.list) >= n {
			defer l.mu.Unlock()
			return append([]aloft.LogLine(nil), l.list...)
		}
		l.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("access log has not %d lines", n)
		}
		time.Sleep(time.Millisecond)
	}
}

// start puts a gateway before addr. Options change it before it starts.
func start(t *testing.T, addr string, options ...func(*bench)) *bench {
	t.Helper()
	b := &bench{table: new(route.Table), dials: new(counter), lines: new(lines)}
	b.up = upstream.New("web.1", func(ctx context.Context) (net.Conn, error) {
		b.dials.add()
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	})
	for _, o := range options {
		o(b)
	}
	b.table.Put(&route.Route{
		Stage: aloft.StageRef{App: "app", Stage: "production"}, Hosts: []string{host}, Release: 7, Function: "web",
		Timeout: b.timeout, Backend: backend{b.up},
	})
	handler := proxy.New(proxy.Config{Table: b.table, Access: b.lines.add, Trusted: b.trusted, Limits: b.limits, Fallback: b.fallback})
	b.server = httptest.NewUnstartedServer(handler)
	b.server.Config.ReadHeaderTimeout = 10 * time.Second
	b.server.EnableHTTP2 = true
	b.server.Start()
	t.Cleanup(func() { b.up.Cut(); b.server.CloseClientConnections(); b.server.Close() })
	return b
}

// app starts a Go app and the gateway before it.
func app(t *testing.T, h http.HandlerFunc, options ...func(*bench)) *bench {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return start(t, s.Listener.Addr().String(), options...)
}

// script starts an app that is a function of its connection, one call per connection.
func script(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { defer c.Close(); serve(c, bufio.NewReader(c)) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}

// says is an app that reads a request head and says text, then closes.
func says(t *testing.T, text string) string {
	t.Helper()
	return script(t, func(c net.Conn, r *bufio.Reader) {
		if readHead(r) != "" {
			io.WriteString(c, text)
		}
	})
}

func readHead(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		head.WriteString(line)
		if line == "\r\n" {
			return head.String()
		}
	}
}

// dial opens a raw connection to the gateway with a deadline for the whole test.
func (b *bench) dial(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", b.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, bufio.NewReader(c)
}

// raw sends bytes and returns all that comes back until the gateway closes.
func (b *bench) raw(t *testing.T, text string) string {
	t.Helper()
	c, r := b.dial(t)
	io.WriteString(c, text)
	all, _ := io.ReadAll(r)
	return string(all)
}

// do sends a request made by net/http.
func (b *bench) do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func (b *bench) request(method, path string, body io.Reader) *http.Request {
	req := httptest.NewRequest(method, b.server.URL+path, body)
	req.RequestURI = ""
	req.Host = host
	return req
}

func TestHello(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Server", "mine")
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.RequestURI, r.Host, body)
	})
	for _, method := range []string{"GET", "POST"} {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("x=1")
		}
		res, text := b.do(t, b.request(method, "/a//b/..%2f?q=%zz", body))
		want := fmt.Sprintf("%s /a//b/..%%2f?q=%%zz %s %q", method, host, map[string]string{"POST": "x=1"}[method])
		if res.StatusCode != http.StatusOK || text != want {
			t.Errorf("%d %q, want %q", res.StatusCode, text, want)
		}
		if got := res.Header["Set-Cookie"]; len(got) != 2 || got[0] != "a=1" || got[1] != "b=2" {
			t.Errorf("Set-Cookie %q", got)
		}
		if res.Header.Get("Server") != "mine" || len(res.Header.Get("X-Request-Id")) != 32 {
			t.Errorf("header %v", res.Header)
		}
	}
	if n := b.dials.get(); n != 1 {
		t.Errorf("%d connections for two requests one after the other", n)
	}
	line := b.lines.wait(t, 2)[1]
	if line.Release != 7 || line.Instance != "web.1" || line.Stream != "access" || !strings.HasPrefix(line.Text, "POST /a//b/..%2f 200 ") {
		t.Errorf("access line %+v", line)
	}
}

func dialer(addr string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
}
