package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

// The tests of this package run one after the other: Caddy's state is process-global.

const host = "app.localhost"

type backend struct{ up *upstream.Upstream }

func (b backend) Acquire(context.Context) (*upstream.Upstream, error) {
	if !b.up.Begin() {
		return nil, &route.Unavailable{Reason: "stopped"}
	}
	return b.up, nil
}

// begin starts a gateway before an app. It is closed at the end of the test.
func begin(t *testing.T, app http.HandlerFunc, change ...func(*gateway.Config)) (*gateway.Gateway, gateway.Config) {
	t.Helper()
	s := httptest.NewServer(app)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	up := upstream.New("web.1", func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.Listener.Addr().String())
	})
	t.Cleanup(up.Cut)
	config := gateway.Config{HTTP: "127.0.0.1:0", Table: new(route.Table), Dir: t.TempDir()}
	config.Table.Put(&route.Route{
		Stage: aloft.StageRef{App: "app", Stage: "production"}, Hosts: []string{host}, Backend: backend{up},
	})
	for _, c := range change {
		c(&config)
	}
	g, err := gateway.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		g.Close(ctx)
	})
	return g, config
}

// raw sends bytes, in pieces, and returns all that comes back until the gateway closes or says nothing for a while.
func raw(t *testing.T, addr string, pieces ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, p := range pieces {
		io.WriteString(c, p)
		time.Sleep(time.Millisecond) // a segment of its own, most likely; either way is a case
	}
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	all, _ := io.ReadAll(c)
	return string(all)
}

// TestProbes is HARDENING.md B3 40, 41 and 46: what could be read in two ways is refused, and the app never sees it.
func TestProbes(t *testing.T) {
	var seen atomic.Int32
	g, _ := begin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/fine" {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				seen.Add(1)
			}
		}
		io.WriteString(w, "ok")
	})
	const end = "Connection: close\r\n\r\n"
	for name, tt := range map[string]struct{ head, want string }{
		"CL and TE":             {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},
		"TE and CL":             {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG", "400"},
		"CL and TE, odd case":   {"POST / HTTP/1.1\r\nHost: app.localhost\r\ncontent-LENGTH: 6\r\ntransfer-ENCODING: Chunked\r\n\r\n0\r\n\r\nG", "400"},
		"TE unknown":            {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: gzip\r\n" + end, "400"},
		"TE obfuscated":         {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: xchunked\r\n" + end, "400"},
		"TE list":               {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: identity, chunked\r\n" + end, "400"},
		"TE twice":              {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"TE with a tab":         {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding:\tchunked\x0b\r\n" + end, "400"},
		"TE space before colon": {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding : chunked\r\n" + end, "400"},
		"TE folded":             {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding:\r\n chunked\r\n" + end, "400"},
		"TE in HTTP/1.0":        {"POST / HTTP/1.0\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"CL twice":              {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400"},
		"CL differing":          {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"},
		"CL list":               {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 1, 1\r\n\r\nx", "400"},
		"CL signed":             {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: +1\r\n\r\nx", "400"},
		"CL hex":                {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 0x1\r\n\r\nx", "400"},
		"CL huge":               {"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 99999999999999999999\r\n\r\nx", "400"},
		"chunk with bare LF":    {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", "400"},
		"chunk without end":     {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n", "400"},
		"chunk size negative":   {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n", "400"},
		"chunk size with 0x":    {"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n", "400"},
		"two hosts":             {"GET / HTTP/1.1\r\nHost: app.localhost\r\nHost: app.localhost\r\n" + end, "400"},
		"no host":               {"GET / HTTP/1.1\r\n" + end, "400"},
		"NUL":                   {"GET / HTTP/1.1\r\nHost: app.localhost\r\nX: a\x00b\r\n" + end, "400"},
		"name with space":       {"GET / HTTP/1.1\r\nHost: app.localhost\r\nX Y: a\r\n" + end, "400"},
		"line without colon":    {"GET / HTTP/1.1\r\nHost: app.localhost\r\nXY\r\n" + end, "400"},
		"space in target":       {"GET /a b HTTP/1.1\r\nHost: app.localhost\r\n" + end, "400"},
		"HTTP/2 preface":        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 4"},
		"HTTP/3.0":              {"GET / HTTP/3.0\r\nHost: app.localhost\r\n" + end, "HTTP/1.1 505"},
		"40 KB of head":         {"GET / HTTP/1.1\r\nHost: app.localhost\r\nX: " + strings.Repeat("x", 40<<10) + "\r\n" + end, "431"},
		"5,000 lines":           {"GET / HTTP/1.1\r\nHost: app.localhost\r\n" + strings.Repeat("X: yyyyyyyy\r\n", 5000) + end, "431"},
	} {
		for i := range 3 {
			pieces := []string{tt.head}
			switch i {
			case 1: // behind a good request, in one segment
				pieces = []string{"GET /fine HTTP/1.1\r\nHost: app.localhost\r\n\r\n" + tt.head}
			case 2: // cut in two
				pieces = []string{tt.head[:len(tt.head)/2], tt.head[len(tt.head)/2:]}
			}
			got := raw(t, g.HTTPAddr(), pieces...)
			if i == 1 {
				first, rest, ok := strings.Cut(got, "\r\n\r\nok")
				if !ok || !strings.HasPrefix(first, "HTTP/1.1 200 ") {
					t.Errorf("%s: the request before was not answered: %.80q", name, got)
				}
				got = rest
			}
			status, _, _ := strings.Cut(got, "\r\n")
			if !strings.Contains(status, tt.want) || strings.Count(got, "HTTP/1.1 ") != 1 {
				t.Errorf("%s (%d): %.120q", name, i, got)
			}
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the app took %d of them", n)
	}
}

// TestFine sends what is unusual but right, whole and byte by byte.
func TestFine(t *testing.T) {
	g, _ := begin(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "[%s %s]", r.Method, body)
	})
	text := "POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n" +
		"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\nabc" +
		"GET / HTTP/1.1\r\nHost: app.localhost\r\nTe: x\r\nCookie: t=1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" +
		"DELETE / HTTP/1.1\nHost: app.localhost\nContent-Length: 0\n\n" +
		"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n"
	want := []string{"[POST abc0123456789]", "[POST abc]", "[GET ]", "[DELETE ]", "[GET ]"}
	for _, size := range []int{len(text), 1, 7} {
		c, err := net.Dial("tcp", g.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for at := 0; at < len(text); at += size {
				io.WriteString(c, text[at:min(len(text), at+size)])
			}
		}()
		r := bufio.NewReader(c)
		for i, w := range want {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("size %d, answer %d: %v", size, i, err)
			}
			if body, _ := io.ReadAll(res.Body); string(body) != w {
				t.Errorf("size %d: %q, want %q", size, body, w)
			}
		}
		c.Close()
	}
}

// TestSlowHead is HARDENING.md B3 47: a client that never ends its head is sent away, and so is one that never speaks.
func TestSlowHead(t *testing.T) {
	g, _ := begin(t, func(http.ResponseWriter, *http.Request) {}, func(c *gateway.Config) {
		c.Limits = gateway.Limits{HeaderTime: 50 * time.Millisecond}
	})
	for _, text := range []string{"", "GET / HTTP/1.1\r\nHost: app.loc"} {
		begun := time.Now()
		raw(t, g.HTTPAddr(), text)
		if took := time.Since(begun); took > 4*time.Second {
			t.Errorf("%q: held for %v", text, took)
		}
	}
}

func TestConflict(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()
	for _, config := range []gateway.Config{{HTTP: addr}, {HTTP: "127.0.0.1:0", HTTPS: addr}} {
		config.Table, config.Dir = new(route.Table), t.TempDir()
		_, err = gateway.Start(t.Context(), config)
		if aloft.ErrorCode(err) != aloft.Conflict || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d)", os.Getpid())) {
			t.Errorf("error %v", err)
		}
	}
	if _, err = gateway.Start(t.Context(), gateway.Config{HTTP: "nonsense", Table: new(route.Table)}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("error %v", err)
	}
	g, config := begin(t, func(http.ResponseWriter, *http.Request) {})
	if _, err = gateway.Start(t.Context(), config); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("a second gateway: %v", err)
	}
	_ = g
}

// TestClose: requests in flight are finished, no new ones are taken, and a gateway can be started again.
func TestClose(t *testing.T) {
	release := make(chan struct{})
	g, _ := begin(t, func(w http.ResponseWriter, _ *http.Request) { <-release; io.WriteString(w, "done") })
	got := make(chan string)
	go func() {
		got <- raw(t, g.HTTPAddr(), "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n")
	}()
	time.Sleep(50 * time.Millisecond)
	closed := make(chan error)
	go func() { closed <- g.Close(context.Background()) }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", g.HTTPAddr())
		if err != nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still listens")
		}
	}
	close(release)
	if text := <-got; !strings.HasSuffix(text, "done") {
		t.Errorf("the request in flight got %q", text)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
