package proxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// TestClientGone is HARDENING.md B3 52: the app sees its client leave within 100 ms, and the slot is free.
func TestClientGone(t *testing.T) {
	for _, during := range []string{"waiting", "streaming", "uploading"} {
		t.Run(during, func(t *testing.T) {
			gone, ready := make(chan time.Time, 1), make(chan bool, 1)
			addr := script(t, func(c net.Conn, r *bufio.Reader) {
				readHead(r)
				if during == "streaming" {
					io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nsome")
				}
				ready <- true
				io.Copy(io.Discard, r)
				gone <- time.Now()
			})
			b := start(t, addr)
			c, _ := b.dial(t)
			if during == "uploading" {
				fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\nabc", host)
			} else {
				fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
			}
			<-ready
			left := time.Now()
			c.Close()
			select {
			case at := <-gone:
				if took := at.Sub(left); took > time.Second { // 60 ms, but machines of tests are busy
					t.Errorf("the app noticed after %v", took)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the app was not told")
			}
			waitIdle(t, b)
		})
	}
}

// TestHalfClosed is HARDENING.md B3 50: a client that has said all may close its side and still gets the answer.
func TestHalfClosed(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "answer") },
		func(b *bench) { b.limits = proxy.Limits{HangUp: 5 * time.Second} })
	for range 20 {
		c, r := b.dial(t)
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		c.(*net.TCPConn).CloseWrite()
		if all, _ := io.ReadAll(r); !bytes.HasSuffix(all, []byte("answer")) {
			t.Fatalf("%q", all)
		}
	}
}

// TestStale: a kept connection that the app closes in the moment of a request.
func TestStale(t *testing.T) {
	var seen atomic.Int32
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if readHead(r) != "" { // takes a second request and says nothing
			seen.Add(1)
		}
	})
	b := start(t, addr)
	for i, method := range []string{"GET", "GET", "POST", "POST", "PUT", "PUT"} {
		res, body := b.do(t, b.request(method, "/", nil))
		want := 200
		if method == "POST" && i == 3 {
			want = 502 // RFC 9110 section 9.2.2: not again
		}
		if i == 2 { // the first POST comes on a kept connection too
			want = 502
		}
		if res.StatusCode != want {
			t.Errorf("request %d %s: %d %q", i, method, res.StatusCode, body)
		}
		if i == 2 { // put a connection back for the next
			b.do(t, b.request("GET", "/", nil))
		}
	}
	if seen.Load() < 3 {
		t.Errorf("kept connections were not used: %d", seen.Load())
	}
}

// TestClosedWhileIdle: what the app closed before the request is noticed, also for what may not be repeated.
func TestClosedWhileIdle(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	b := start(t, addr)
	for i := range 50 {
		res, _ := b.do(t, b.request("POST", "/", strings.NewReader("x")))
		if res.StatusCode != http.StatusOK {
			t.Errorf("request %d: %d", i, res.StatusCode)
		}
		time.Sleep(2 * time.Millisecond) // the app's FIN has come by then; before, nobody can know
	}
}

// TestCut: at the drain deadline a response in flight ends, and so does a request that waits.
func TestCut(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		if strings.HasPrefix(readHead(r), "GET /stream") {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nsome")
		}
		io.Copy(io.Discard, r)
	})
	b := start(t, addr)
	stream, err := http.DefaultTransport.RoundTrip(b.request("GET", "/stream", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	status := make(chan int, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(b.request("GET", "/wait", nil))
		if err != nil {
			status <- -1
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	for b.up.InFlight() < 2 {
		runtime.Gosched()
	}
	idle := b.up.Drain()
	time.Sleep(10 * time.Millisecond)
	select {
	case <-idle:
		t.Fatal("drained with requests in flight")
	default:
	}
	b.up.Cut()
	if _, err := io.ReadAll(stream.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("stream ended with %v", err)
	}
	if got := <-status; got != 503 {
		t.Errorf("the waiting request got %d", got)
	}
	select {
	case <-idle:
	case <-time.After(5 * time.Second):
		t.Error("not idle after the cut")
	}
}
