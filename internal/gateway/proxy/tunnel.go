package proxy

import (
	"io"
	"net"
	"time"
)

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
			_ = t.app.SetWriteDeadline(time.Now().Add(closeGrace)) // it may take nothing more
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
