package upstream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aloft-run/aloft/internal/upstream"
)

// pipes is an upstream over net.Pipe; what it dialed is kept for the test to look at.
type pipes struct {
	mu   sync.Mutex
	apps []net.Conn
}

func (p *pipes) dial(context.Context) (net.Conn, error) {
	ours, app := net.Pipe()
	p.mu.Lock()
	p.apps = append(p.apps, app)
	p.mu.Unlock()
	return ours, nil
}

func (p *pipes) closed(t *testing.T, i int) bool {
	t.Helper()
	_ = p.apps[i].SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := p.apps[i].Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

func fresh(t *testing.T, u *upstream.Upstream) *upstream.Conn {
	t.Helper()
	c, err := u.Fresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pipes
		u := upstream.New("i", p.dial)
		if u.Kept() != nil {
			t.Fatal("a connection from nowhere")
		}
		first, second := fresh(t, u), fresh(t, u)
		first.Keep()
		time.Sleep(600 * time.Millisecond)
		second.Keep()
		if c := u.Kept(); c != second || !c.Reused {
			t.Error("not the one used last")
		}
		time.Sleep(500 * time.Millisecond) // first is idle for 1.1 s, second carries a request
		synctest.Wait()
		if !p.closed(t, 0) || p.closed(t, 1) {
			t.Error("want the idle one closed and the busy one open")
		}
		second.Keep()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !p.closed(t, 1) || u.Kept() != nil {
			t.Error("idle for 2 s and still open")
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pipes
		u := upstream.New("i", p.dial)
		if !u.Begin() || u.InFlight() != 1 {
			t.Fatal("a new upstream refuses")
		}
		idle, busy, tunnel := fresh(t, u), fresh(t, u), fresh(t, u)
		idle.Keep()
		tunnel.Detach()
		done := u.Drain()
		if u.Begin() {
			t.Error("a draining upstream takes a request")
		}
		if !p.closed(t, 0) || p.closed(t, 1) || p.closed(t, 2) {
			t.Error("want only the idle one closed")
		}
		select {
		case <-done:
			t.Error("idle with a request in flight")
		default:
		}
		u.Cut()
		<-u.Cutting()
		if !p.closed(t, 1) || p.closed(t, 2) {
			t.Error("want the busy one closed and the tunnel left alone")
		}
		busy.Discard()
		busy.Discard()
		if late := fresh(t, u); !p.closed(t, 3) {
			t.Error("a connection made after the cut is open")
			late.Discard()
		}
		u.End()
		<-done
		_ = tunnel.Conn.Close()
	})
}

// TestQuiet: a kept connection that the app closed, or on which it said something, is not given out again.
func TestQuiet(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	u := upstream.New("i", func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
	})
	defer u.Cut()
	for name, act := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { c.Close() },
		"spoke":  func(c net.Conn) { io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n") },
	} {
		fresh(t, u).Keep()
		app, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if c := u.Kept(); c == nil {
			t.Fatalf("%s: a good connection was dropped", name)
		} else {
			c.Keep()
		}
		act(app)
		for deadline := time.Now().Add(500 * time.Millisecond); ; runtime.Gosched() {
			c := u.Kept()
			if c == nil {
				break
			}
			c.Keep()
			if time.Now().After(deadline) {
				t.Fatalf("%s: still given out", name)
			}
		}
		app.Close()
	}
}

func TestConcurrent(t *testing.T) {
	var p pipes
	u := upstream.New("i", p.dial)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 200 {
				if !u.Begin() {
					return
				}
				c := u.Kept()
				if c == nil {
					c, _ = u.Fresh(t.Context())
				}
				if i%3 == 0 {
					c.Discard()
				} else {
					c.Keep()
				}
				u.End()
			}
		})
	}
	wg.Wait()
	if len(p.apps) > 16*200 {
		t.Error("more connections than requests")
	}
	<-u.Drain()
	u.Cut()
	for i := range p.apps {
		if !p.closed(t, i) {
			t.Fatalf("connection %d is open", i)
		}
	}
}
