package proxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// closeGrace is how long both sides may take to say goodbye once a tunnel must end.
const closeGrace = time.Second

const tunnelBuffer = 8 << 10

// switchProtocols joins client and app after the app agreed to speak WebSocket.
func (e *exchange) switchProtocols(res response, asked bool) {
	if !asked || !e.agreed() {
		e.fail(http.StatusBadGateway, "the app switched to a protocol nobody asked for")
		return
	}
	e.watch.end()
	client, buffered, err := http.NewResponseController(e.w).Hijack()
	if err != nil {
		e.fail(http.StatusBadGateway, "this connection cannot be upgraded")
		return
	}
	defer client.Close()
	_ = client.SetDeadline(time.Time{})
	e.status = res.status
	app := e.conn
	app.Detach()
	e.conn = nil
	defer app.Conn.Close()
	if _, err := client.Write(e.appendSwitch()); err != nil {
		return
	}
	t := &tunnel{client: client, app: app.Conn, cutting: e.up.Cutting(), linger: e.h.limits.Stall}
	e.sent = t.run(buffered, app.Reader)
}

func (e *exchange) agreed() bool {
	for _, f := range e.fields {
		if f.key == "Upgrade" && strings.EqualFold(f.value, "websocket") {
			return true
		}
	}
	return false
}

func (e *exchange) appendSwitch() []byte {
	b := append(e.head[:0], "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"...)
	for _, f := range e.fields {
		if !hopByHop(f.key) && f.key != "X-Request-Id" && f.key != "Content-Length" {
			b = appendField(b, f.key, f.value)
		}
	}
	b = appendField(b, "X-Request-Id", e.id)
	return append(b, "\r\n"...)
}

// tunnel carries bytes both ways until both sides have ended, or until the instance is cut: then the client is told to
// connect again (close code 1001), which it can be only between two frames.
type tunnel struct {
	client, app net.Conn
	cutting     <-chan struct{}
	linger      time.Duration // how long the app may go on after the client ended
}

// run returns how many bytes went to the client.
func (t *tunnel) run(fromClient, fromApp io.Reader) int64 {
	up, down := make(chan struct{}), make(chan int64, 1)
	go func() {
		defer close(up)
		_, _ = io.CopyBuffer(onlyWriter{t.app}, onlyReader{fromClient}, make([]byte, tunnelBuffer))
		closeWrite(t.app)
		_ = t.app.SetReadDeadline(time.Now().Add(t.linger))
	}()
	go func() { down <- t.toClient(fromApp) }()
	cutting := t.cutting
	for {
		select {
		case <-cutting:
			cutting = nil
			_ = t.app.SetReadDeadline(time.Unix(1, 0)) // wakes toClient
		case n := <-down:
			_ = t.client.SetReadDeadline(time.Now().Add(closeGrace))
			<-up
			return n
		}
	}
}

// onlyReader and onlyWriter keep io.Copy to the small buffer: idle WebSockets are many.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// toClient copies the app's bytes, knowing at each moment whether a frame has just ended.
func (t *tunnel) toClient(r io.Reader) int64 {
	var total int64
	var f frames
	buf := make([]byte, tunnelBuffer)
	grace := false
	for {
		n, err := r.Read(buf)
		if n > 0 {
			f.feed(buf[:n])
			m, werr := t.client.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				_ = t.app.Close()
				return total
			}
		}
		switch {
		case err == nil && !grace:
			continue
		case err != nil && !t.cut():
			closeWrite(t.client)
			return total
		case f.boundary():
			_, _ = t.client.Write([]byte{0x88, 2, 1001 >> 8, 1001 & 0xff})
			closeWrite(t.client)
			return total
		case grace && err != nil:
			closeWrite(t.client)
			return total
		}
		grace = true
		_ = t.app.SetReadDeadline(time.Now().Add(closeGrace))
	}
}

func (t *tunnel) cut() bool {
	select {
	case <-t.cutting:
		return true
	default:
		return false
	}
}

func closeWrite(c net.Conn) {
	if cw, ok := c.(interface{ CloseWrite() error }); ok {
		_ = cw.CloseWrite()
		return
	}
	_ = c.Close()
}

// frames follows the WebSocket frames of one direction (RFC 6455 section 5.2).
type frames struct {
	head [14]byte // of the frame that begins
	have int
	left uint64 // bytes of payload to come
}

func (f *frames) boundary() bool { return f.have == 0 && f.left == 0 }

func (f *frames) feed(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(uint64(len(p)), f.left)
			f.left -= n
			p = p[n:]
			continue
		}
		f.head[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have == f.size() {
			f.left = f.payload()
			f.have = 0
		}
	}
}

// size is the length of the head as far as it is known.
func (f *frames) size() int {
	if f.have < 2 {
		return 2
	}
	size := 2
	switch f.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 { // a mask, which servers must not use
		size += 4
	}
	return size
}

func (f *frames) payload() uint64 {
	switch n := f.head[1] & 0x7f; n {
	case 126:
		return uint64(f.head[2])<<8 | uint64(f.head[3])
	case 127:
		var v uint64
		for _, b := range f.head[2:10] {
			v = v<<8 | uint64(b)
		}
		return v
	default:
		return uint64(n)
	}
}
