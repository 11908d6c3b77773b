package http1

import (
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

// body is that of a request, read already.
type body struct {
	left  []byte
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.ended.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(b.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// Close makes reads fail.
func (b *body) Close() error {
	b.ended.Store(true)
	return nil
}

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
