package proxy_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// socketEcho is an app that sends every message back.
func socketEcho(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"*"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	for {
		kind, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if c.Write(context.Background(), kind, data) != nil {
			return
		}
	}
}

func (b *bench) socket(t *testing.T) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), b.server.URL, &websocket.DialOptions{Host: host, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return c
}

func TestWebSocket(t *testing.T) {
	b := app(t, socketEcho)
	c := b.socket(t)
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		text := strings.Repeat("x", size)
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.Read(t.Context())
		if err != nil || string(got) != text {
			t.Fatalf("size %d: %d bytes, %v", size, len(got), err)
		}
	}
	if b.up.InFlight() != 1 {
		t.Errorf("%d in flight", b.up.InFlight())
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
	waitIdle(t, b)
	if line := b.lines.wait(t, 1)[0]; !strings.HasPrefix(line.Text, "GET / 101 ") {
		t.Errorf("access line %q", line.Text)
	}
}

// TestWebSocketCut: at the drain deadline clients are told to come again, between two frames.
func TestWebSocketCut(t *testing.T) {
	b := app(t, socketEcho)
	idle := b.socket(t)
	codes := make(chan websocket.StatusCode, 1)
	go func() {
		_, _, err := idle.Read(context.Background())
		codes <- websocket.CloseStatus(err)
	}()
	busy := b.socket(t)
	busyCodes := make(chan websocket.StatusCode, 1)
	go func() {
		for {
			if err := busy.Write(context.Background(), websocket.MessageBinary, make([]byte, 100_000)); err != nil {
				return
			}
		}
	}()
	go func() {
		for {
			if _, _, err := busy.Read(context.Background()); err != nil {
				busyCodes <- websocket.CloseStatus(err)
				return
			}
		}
	}()
	drained := b.up.Drain()
	b.up.Cut()
	for name, c := range map[string]chan websocket.StatusCode{"idle": codes, "busy": busyCodes} {
		select {
		case code := <-c:
			if code != websocket.StatusGoingAway {
				t.Errorf("%s: close code %d", name, code)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: not closed", name)
		}
	}
	select {
	case <-drained:
	case <-time.After(5 * time.Second):
		t.Error("the instance is still held")
	}
}

// TestWebSocketCutInFrame: in the middle of a frame nothing may be put in; the connection just ends.
func TestWebSocketCutInFrame(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		head := []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint64(head[2:], 1000)
		c.Write(append(head, "begun"...))
		io.Copy(io.Discard, r)
	})
	b := start(t, addr)
	c, r := b.dial(t)
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", host)
	readHead(r)
	r.Discard(15)
	b.up.Cut()
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("%q %v after the frame was cut", rest, err)
	}
	waitIdle(t, b)
}

func TestWebSocketRefused(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	got := b.raw(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, "Connection: close\r\n") {
		t.Errorf("%q", got)
	}
	waitIdle(t, b)
}

// TestTunnelHalfClose: each side may end its half first.
func TestTunnelHalfClose(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
		all, _ := io.ReadAll(r)
		fmt.Fprintf(c, "got %d", len(all))
	})
	b := start(t, addr)
	c, r := b.dial(t)
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\nearly", host)
	head := readHead(r)
	io.WriteString(c, "late")
	c.(*net.TCPConn).CloseWrite()
	rest, err := io.ReadAll(r)
	if string(rest) != "got 9" || err != nil || !strings.Contains(head, "X-Request-Id: ") {
		t.Errorf("%q %q %v", head, rest, err)
	}
	waitIdle(t, b)
}

// TestTunnelAppDies: the client sees the end of an app that crashes.
func TestTunnelAppDies(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	})
	b := start(t, addr)
	conn, r := b.dial(t)
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", host)
	readHead(r)
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("%q %v", rest, err)
	}
	waitIdle(t, b)
}

// TestTunnelAppStopsReading: an app that ended its half and takes nothing more does not hold the tunnel for ever.
func TestTunnelAppStopsReading(t *testing.T) {
	release := make(chan struct{})
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		c.(*net.TCPConn).CloseWrite()
		<-release
	})
	b := start(t, addr)
	t.Cleanup(func() { close(release) })
	c, r := b.dial(t)
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", host)
	readHead(r)
	go func() {
		for piece := make([]byte, 64<<10); ; {
			if _, err := c.Write(piece); err != nil {
				return
			}
		}
	}()
	waitIdle(t, b)
}
