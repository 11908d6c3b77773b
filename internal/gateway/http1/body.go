package http1

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// body is that of a request. One goroutine at a time reads it; after the handler has returned none does.
type body struct {
	c      *conn
	left   []byte // was read already
	more   int64  // bytes that are still to come
	broken bool   // reading them failed
	ended  atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.ended.Load():
		return 0, http.ErrBodyReadAfterClose
	case len(b.left) > 0:
		n := copy(p, b.left)
		b.left = b.left[n:]
		return n, nil
	case b.more == 0:
		return 0, io.EOF
	}
	n, err := b.c.Read(p[:min(int64(len(p)), b.more)])
	b.Took(int64(n))
	if b.more == 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) { // nothing is to come any more
		b.Took(b.more)
		return n, io.ErrUnexpectedEOF
	}
	b.broken = b.broken || err != nil && !errors.Is(err, os.ErrDeadlineExceeded) // after a deadline more may come
	return n, err
}

// Whole reports whether all of the body was read from the connection: nobody waits for it.
func (b *body) Whole() bool { return b.more == 0 }

// Rest is where the rest of the body comes from, once that is all there is of it, and its size; nil if it cannot be taken there. Took is to
// be told what was.
func (b *body) Rest() (from syscall.RawConn, size int64) {
	sc, ok := b.c.Conn.(syscall.Conn) // not over TLS
	if !ok || len(b.left) > 0 || b.more == 0 || b.ended.Load() {
		return nil, 0
	}
	from, err := sc.SyscallConn()
	if err != nil {
		return nil, 0
	}
	return from, b.more
}

// Took says that n more bytes of the body were read.
func (b *body) Took(n int64) {
	if b.more -= n; n > 0 && b.more == 0 {
		b.c.bodyRead()
	}
}

// muchLeft is how much of a body is read that no handler has, so that the connection can be kept, as by net/http (256 KB).
const muchLeft = 256 << 10

// Close makes reads fail. What is left is read first if it is not much.
func (b *body) Close() error {
	if !b.ended.Load() {
		b.skip()
		b.ended.Store(true)
	}
	return nil
}

// end makes reads fail; b may be nil.
func (b *body) end() {
	if b != nil {
		b.ended.Store(true)
	}
}

// skip reads what is left of the body, if it is not much, and reports whether all of it was read.
func (b *body) skip() bool {
	if b.more >= muchLeft || b.broken {
		return false
	}
	b.left = nil
	b.ended.Store(true) // who reads on must learn that something is missing
	if b.more == 0 {
		return true
	}
	if !b.c.bounded.Load() {
		b.c.readBy(time.Now().Add(b.c.server.HeadTime))
	}
	n, err := io.CopyN(io.Discard, b.c.Conn, b.more)
	b.Took(n)
	b.broken = err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded)
	return b.more == 0
}

// linger ends the connection of a client that is still sending: to close it with something unread would reset it, and the client could
// lose the response.
func (c *conn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.Copy(io.Discard, c.Conn)
}

const lingerTime = 500 * time.Millisecond

// sink is the connection as the buffer of its responses writes to it.
type sink struct{ c *conn }

func (s sink) Write(p []byte) (int, error) {
	n, err := s.c.Write(p)
	if err != nil && s.c.writeErr == nil {
		s.c.writeErr = err
		s.c.cancel() // it was set before anything is written, by this goroutine or before the handler began
	}
	return n, err
}

type textWriter interface {
	io.Writer
	io.StringWriter
}

// nowhere takes the body of an answer to HEAD.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

func (nowhere) WriteString(s string) (int, error) { return len(s), nil }

// closing writes what has a length to the client. A connection to which nothing can be written is closed.
type closing struct{ c *conn }

func (w closing) Write(p []byte) (n int, err error) {
	if n, err = w.c.out.Write(p); err != nil {
		_ = w.c.Close()
	}
	return n, err
}

func (w closing) WriteString(s string) (n int, err error) {
	if n, err = w.c.out.WriteString(s); err != nil {
		_ = w.c.Close()
	}
	return n, err
}

// pieces takes the body from where it was held: the first piece lets the head be made.
type pieces struct{ w *response }

func (p pieces) Write(b []byte) (int, error) {
	w := p.w
	if !w.headed {
		w.writeHead(w.sent, b)
	}
	switch {
	case w.head:
		return len(b), nil
	case !w.chunked:
		return closing{w.c}.Write(b)
	}
	out := w.c.out
	_, _ = out.Write(append(strconv.AppendInt(out.AvailableBuffer(), int64(len(b)), 16), "\r\n"...)) // the buffer keeps the error
	n, err := out.Write(b)
	if err == nil {
		_, err = out.WriteString("\r\n")
	}
	if err != nil {
		_ = w.c.Close()
	}
	return n, err
}
