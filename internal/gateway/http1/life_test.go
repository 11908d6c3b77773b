package http1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLeaves: a request ends when its client goes or closes its side, in no time and not before.
func TestLeaves(t *testing.T) {
	begun, ended := make(chan bool), make(chan bool)
	p := start(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			begun <- true
			<-r.Context().Done()
			ended <- true
		}
	})
	for name, leave := range map[string]func(*net.TCPConn){
		"closed": func(c *net.TCPConn) { c.Close() }, "reset": func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, "half closed": func(c *net.TCPConn) { c.CloseWrite() },
		"more sent before": func(c *net.TCPConn) { get(c, "/"); c.Close() },
	} {
		c := dial(t, p.ours)
		for range 2 {
			get(c, "/")
			if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res, err)
			}
		}
		get(c, "/wait")
		<-begun
		select {
		case <-ended:
			t.Errorf("%s: the request ended before", name)
			continue
		default:
		}
		leave(c)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: not noticed", name)
		}
	}
}

// TestClosesWhileRead: a client may close its side once it has sent its request; it has left only when all of that was read.
func TestClosesWhileRead(t *testing.T) {
	const size = 1 << 20
	early, got, ended := make(chan error, 1), make(chan int64, 1), make(chan bool, 1)
	p := start(t, func(_ http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 10))
		select {
		case <-r.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
		early <- r.Context().Err()
		n, _ := io.Copy(io.Discard, r.Body)
		got <- n
		<-r.Context().Done()
		ended <- true
	})
	c := dial(t, p.ours)
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
	c.Write(make([]byte, size))
	c.CloseWrite()
	if err := <-early; err != nil {
		t.Errorf("the request ended before its body was read: %v", err)
	}
	if n := <-got; n != size-10 {
		t.Errorf("%d bytes were read", n)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it was not noticed that the client left")
	}
	if p.active.Load() != 1 {
		t.Error("it was not the Server that answered")
	}
}

func get(c net.Conn, path string) { fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path) }

// TestDrain: what is under way is answered, and said to be the last; who waits is closed.
func TestDrain(t *testing.T) {
	begun, release := make(chan bool), make(chan bool)
	p := start(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			begun <- true
			<-release
		}
	})
	waits := dial(t, p.ours)
	get(waits, "/")
	if _, err := http.ReadResponse(bufio.NewReader(waits), nil); err != nil {
		t.Fatal(err)
	}
	busy, fresh := dial(t, p.ours), dial(t, p.ours)
	get(busy, "/wait")
	<-begun
	if p.server.Drain() {
		t.Error("nothing is said to be left")
	}
	for n := 1; n > 0; { // it may have been about to wait
		n, _ = waits.Read(make([]byte, 100))
		p.server.Drain()
	}
	over := make(chan error)
	go func() { over <- p.server.Shutdown(t.Context()) }()
	get(fresh, "/")
	for _, c := range []net.Conn{fresh, busy} {
		if c == busy {
			close(release)
		}
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || !res.Close {
			t.Errorf("%v, %v", res, err)
		}
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.server.Shutdown(ctx); err != nil {
		t.Errorf("with nothing to wait for: %v", err)
	}
}

// TestTimes: who sends no head, or not all of it, or no other request, is sent away without an answer, and not before.
func TestTimes(t *testing.T) {
	p := start(t, func(http.ResponseWriter, *http.Request) {})
	var wg sync.WaitGroup
	for text, limit := range map[string]time.Duration{"": headTime, "GET / HT": headTime, plainHead: idleTime, plainHead + "GET / HT": headTime} {
		wg.Go(func() {
			c := dial(t, p.ours)
			begun := time.Now()
			io.WriteString(c, text)
			all, err := io.ReadAll(c)
			if want := strings.Count(text, "HTTP/1.1"); strings.Count(string(all), "HTTP/1.1 200") != want || err != nil {
				t.Errorf("%q: %q, %v", text, all, err)
			}
			if took := time.Since(begun); took < limit-10*time.Millisecond {
				t.Errorf("%q: sent away after %v", text, took)
			}
		})
	}
	wg.Wait()
}

// TestUnderLoad: a drain loses no request of those who are told that a connection ends.
func TestUnderLoad(t *testing.T) {
	p := start(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	var wg sync.WaitGroup
	var answered atomic.Int32
	ready := make(chan bool, 8)
	for range 8 {
		wg.Go(func() {
			c := dial(t, p.ours)
			r := bufio.NewReader(c)
			for n := 0; ; n++ {
				get(c, "/")
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					if n < 100 {
						t.Errorf("answer %d: %v", n, err)
					}
					return // a drained connection may end between two requests
				}
				if body, err := io.ReadAll(res.Body); string(body) != "ok" || err != nil {
					t.Errorf("%q, %v", body, err)
				}
				answered.Add(1)
				if res.Close {
					return
				}
				if n == 100 {
					ready <- true
				}
			}
		})
	}
	for range 8 {
		<-ready
	}
	p.door.Listener.Close()
	if err := p.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := answered.Load(); n < 800 {
		t.Errorf("%d answers", n)
	}
}

// TestTLS: over TLS a request says so, and a client that leaves is noticed as well.
func TestTLS(t *testing.T) {
	begun, ended := make(chan bool), make(chan bool)
	p := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			begun <- true
			<-r.Context().Done()
			ended <- true
		}
		fmt.Fprint(w, r.TLS.ServerName)
	})
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", certified.TLS)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	over := make(chan bool)
	go func() {
		c, _ := ln.Accept()
		c.(*tls.Conn).HandshakeContext(context.Background())
		_, theirs := p.server.Serve(c)
		over <- theirs
	}()
	c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "some.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		get(c, "/")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != "some.example" {
			t.Errorf("%q", body)
		}
	}
	get(c, "/wait")
	<-begun
	c.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it was not noticed that the client left")
	}
	if <-over {
		t.Error("the connection is left to others")
	}
}
