package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/upstream"
)

// TestGarbage is HARDENING.md B3 56: what an app says that is not HTTP becomes 502 or a cut response, never a hang.
func TestGarbage(t *testing.T) {
	long := strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 400)
	for name, tt := range map[string]struct {
		says string
		want string // start of what the client gets
	}{
		"nothing":            {"", "HTTP/1.1 502 "},
		"no status line":     {"hello\r\n\r\n", "HTTP/1.1 502 "},
		"other protocol":     {"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 502 "},
		"HTTP/2":             {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 502 "},
		"status of letters":  {"HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 502 "},
		"status 099":         {"HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 502 "},
		"head cut":           {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 502 "},
		"head too large":     {"HTTP/1.1 200 OK\r\n" + long + "\r\n", "HTTP/1.1 502 "},
		"line without end":   {"HTTP/1.1 200 " + strings.Repeat("x", 300<<10), "HTTP/1.1 502 "},
		"infinite 1xx":       {strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 1000), "HTTP/1.1 102 "},
		"two lengths":        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 502 "},
		"negative length":    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 502 "},
		"signed length":      {"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "HTTP/1.1 502 "},
		"unknown coding":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 502 "},
		"space before colon": {"HTTP/1.1 200 OK\r\nSet-Cookie : a\r\n\r\n", "HTTP/1.1 502 "},
		"NUL in a field":     {"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", "HTTP/1.1 502 "},
		"folded line":        {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 502 "},
		"101 unasked":        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 502 "},
		"bare LF":            {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "HTTP/1.1 200 "},
		"no reason":          {"HTTP/1.1 204\r\n\r\n", "HTTP/1.1 204 "},
		"304 with body":      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 304 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, says(t, tt.says))
			got := b.raw(t, "GET / HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n\r\n")
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %.100q", got)
			}
			if name == "infinite 1xx" && !strings.Contains(got, "HTTP/1.1 502 ") {
				t.Errorf("no end: %.100q", got)
			}
			if name == "304 with body" && strings.Contains(got, "hello") {
				t.Errorf("a body after 304: %q", got)
			}
		})
	}
}

// TestCutBodies checks that the client can tell that a response is not whole.
func TestCutBodies(t *testing.T) {
	for name, text := range map[string]string{
		"too short":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"large":         "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000),
		"chunk cut":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"no last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"bad chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
		"bad trailer":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nbad\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, says(t, text))
			res, err := http.DefaultTransport.RoundTrip(b.request("GET", "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("a whole response of %d bytes", len(body))
			}
		})
	}
}

// TestTooMuch: bytes beyond what the app promised are not taken for the answer to the next request.
func TestTooMuch(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		for readHead(r) != "" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
		}
	})
	b := start(t, addr)
	for range 3 {
		if _, body := b.do(t, b.request("GET", "/", nil)); body != "ok" {
			t.Errorf("body %q", body)
		}
	}
	if n := b.dials.get(); n != 3 {
		t.Errorf("%d connections, want one for each", n)
	}
}

func TestRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	b := start(t, ln.Addr().String())
	if res, body := b.do(t, b.request("GET", "/", nil)); res.StatusCode != http.StatusBadGateway || !strings.Contains(body, "accept connections") {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	b.up.Drain()
	res, body := b.do(t, b.request("GET", "/", nil))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "2" || !strings.Contains(body, "stopped") {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, body)
	}
}

// TestRestart: an instance that does not accept for a moment, as after a crash, costs no request.
func TestRestart(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	addr := strings.TrimPrefix(backendOf(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }).String(), "http://")
	var dials atomic.Int32
	up := upstream.New("web.2", func(ctx context.Context) (net.Conn, error) {
		if dials.Add(1) < 3 {
			return nil, syscall.ECONNREFUSED
		}
		return dialer(addr)(ctx)
	})
	t.Cleanup(up.Cut)
	r := *b.table.Lookup(host)
	r.Backend = backend{up}
	b.table.Put(&r)
	if res, body := b.do(t, b.request("POST", "/", strings.NewReader("text"))); res.StatusCode != http.StatusOK || body != "text" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if up.InFlight() != 0 {
		waitIdle(t, &bench{up: up})
	}
}

func TestTimeout(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		head := readHead(r)
		if strings.HasPrefix(head, "GET /slow") {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			time.Sleep(150 * time.Millisecond) // after the head there is no limit
			io.WriteString(c, "ok")
			return
		}
		io.Copy(io.Discard, r)
	})
	b := start(t, addr, func(b *bench) { b.timeout = 50 * time.Millisecond })
	if res, _ := b.do(t, b.request("GET", "/", nil)); res.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("never: %d", res.StatusCode)
	}
	if res, body := b.do(t, b.request("GET", "/slow", nil)); res.StatusCode != http.StatusOK || body != "ok" {
		t.Errorf("slow: %d %q", res.StatusCode, body)
	}
}

// TestHang: only an instance that answers nothing for the whole time a request had is taken to hang.
func TestHang(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		if strings.HasPrefix(readHead(r), "GET /quick") {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return
		}
		_, _ = io.Copy(io.Discard, r)
	})
	var hung atomic.Int32
	b := start(t, addr, func(b *bench) { b.timeout = 500 * time.Millisecond; b.up.Hung = func() { hung.Add(1) } })
	done := make(chan int, 1)
	go func() {
		res, _ := b.do(t, b.request("GET", "/", nil))
		done <- res.StatusCode
	}()
	for begun := false; ; {
		select {
		case status := <-done:
			if status != http.StatusGatewayTimeout || hung.Load() != 0 {
				t.Errorf("one slow request among quick ones: %d, hung %d times", status, hung.Load())
			}
			if res, _ := b.do(t, b.request("GET", "/", nil)); res.StatusCode != http.StatusGatewayTimeout || hung.Load() != 1 {
				t.Errorf("it answers nothing: %d, hung %d times", res.StatusCode, hung.Load())
			}
			return
		default:
		}
		begun = begun || b.up.InFlight() > 0
		if res, _ := b.do(t, b.request("GET", "/quick", nil)); begun && res.StatusCode != http.StatusOK {
			t.Errorf("quick: %d", res.StatusCode)
		}
	}
}

// TestReset: an app that resets the connection in the middle of the head is a bad gateway, not a hang.
func TestReset(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		raw, _ := c.(*net.TCPConn).SyscallConn()
		raw.Control(func(fd uintptr) {
			syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
		})
	})
	b := start(t, addr)
	if res, _ := b.do(t, b.request("POST", "/", strings.NewReader("x"))); res.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", res.StatusCode)
	}
}

// TestStall: a client that stops sending its body does not hold the instance for ever.
func TestStall(t *testing.T) {
	b := app(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		func(b *bench) { b.limits = proxy.Limits{Stall: 50 * time.Millisecond} })
	for length, want := range map[int]string{10: "HTTP/1.1 408 ", 1 << 20: "HTTP/1.1 408 "} {
		got := b.raw(t, fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\nabc", host, length))
		if !strings.HasPrefix(got, want) {
			t.Errorf("length %d: %.60q", length, got)
		}
	}
	waitIdle(t, b)
}

// TestSlowUpload is HARDENING.md B3 49: a client that sends a byte now and then does not hold the instance for ever, unless
// the app has begun to answer it.
func TestSlowUpload(t *testing.T) {
	for path, want := range map[string]string{"/": "HTTP/1.1 408 ", "/early": "HTTP/1.1 200 "} {
		b := app(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/early" {
				_ = http.NewResponseController(w).EnableFullDuplex()
				w.(http.Flusher).Flush()
			}
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%d %v", n, err)
		}, func(b *bench) { b.limits = proxy.Limits{Stall: 100 * time.Millisecond, MinRate: 1 << 20} })
		c, r := b.dial(t)
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n", path, host)
		for range 40 {
			time.Sleep(10 * time.Millisecond)
			io.WriteString(c, "1\r\nx\r\n") // fails once it was answered
		}
		io.WriteString(c, "0\r\n\r\n")
		got, _ := io.ReadAll(io.LimitReader(r, 13))
		if !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %q", path, got)
		}
		c.Close()
		waitIdle(t, b)
	}
}

// TestSplices: bodies for which there is no place in the kernel are copied.
func TestSplices(t *testing.T) {
	release := make(chan bool)
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "200000")
		w.Write(make([]byte, 100000))
		w.(http.Flusher).Flush()
		if r.URL.Path == "/wait" {
			<-release
		}
		w.Write(make([]byte, 100000))
	}, func(b *bench) { b.limits = proxy.Limits{Splices: 1} })
	first, err := http.DefaultTransport.RoundTrip(b.request("GET", "/wait", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Body.Close()
	if _, err := io.ReadFull(first.Body, make([]byte, 100000)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, body := b.do(t, b.request("GET", "/", nil)); len(body) != 200000 {
			t.Errorf("%d bytes", len(body))
		}
	}
	close(release)
	if n, err := io.Copy(io.Discard, first.Body); n != 100000 || err != nil {
		t.Errorf("the first: %d, %v", n, err)
	}
}

func waitIdle(t *testing.T, b *bench) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); b.up.InFlight() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests still hold the instance", b.up.InFlight())
		}
	}
}

// TestPause: an app may pause for longer than the stall time, also right before the end.
func TestPause(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
		time.Sleep(120 * time.Millisecond)
		io.WriteString(c, "3\r\ntwo\r\n0\r\n\r\n")
	})
	b := start(t, addr, func(b *bench) { b.limits = proxy.Limits{Stall: 40 * time.Millisecond} })
	if res, body := b.do(t, b.request("GET", "/", nil)); res.StatusCode != http.StatusOK || body != "onetwo" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// TestSlowReader is HARDENING.md B3 48: a client that takes nothing does not hold the instance for ever.
func TestSlowReader(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, pattern{}) },
		func(b *bench) { b.limits = proxy.Limits{Stall: 100 * time.Millisecond} })
	c, _ := b.dial(t)
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	if line := b.lines.wait(t, 1)[0]; !strings.HasSuffix(line.Text, " cut") {
		t.Errorf("access line %q", line.Text)
	}
	waitIdle(t, b)
}
