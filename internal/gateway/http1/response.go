package http1

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	outBuffer  = 4 << 10
	holdBuffer = 2 << 10 // a body that is no longer gets a Content-Length
	sniffed    = 512     // bytes of a body that tell its type
)

// response is the http.ResponseWriter of one request. Its head is made as soon as nothing of the body can change it.
type response struct {
	c      *conn
	r      *http.Request
	asked  *body // of the request; nil if it has none
	duplex bool  // it is read while the response is written
	header http.Header
	head   bool // the method is HEAD
	last   bool // the connection ends after it

	status  int           // 0 until WriteHeader
	length  int64         // said by the handler, or found out; -1 before
	written int64         // by the handler
	sent    http.Header   // what the head is made of, if it waits for the body
	hold    *bufio.Writer // what the body waits in, if the head does
	headed  bool          // the head was made
	chunked bool
	over    bool // the handler has returned
}

var (
	_ http.Flusher    = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
)

func (c *conn) newResponse(r *http.Request, asked *body) *response {
	return &response{c: c, r: r, asked: asked, header: make(http.Header, 8), head: r.Method == http.MethodHead, last: r.Close, length: -1}
}

func (s *Server) writer(c *conn) *bufio.Writer {
	if w, ok := s.writers.Get().(*bufio.Writer); ok {
		w.Reset(sink{c})
		return w
	}
	return bufio.NewWriterSize(sink{c}, outBuffer)
}

func (s *Server) free(w *bufio.Writer) {
	w.Reset(nil)
	s.writers.Put(w)
}

// Header returns the fields.
func (w *response) Header() http.Header { return w.header }

// WriteHeader begins the response, or sends an interim one.
func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		w.c.server.Log.Debug("a handler wrote the head of a response twice", "status", w.status, "then", status)
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("status %d", status)) // as net/http does
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.interim(status)
		return
	}
	w.status = status
	if text := w.header.Get("Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n >= 0 {
			w.length = n
		} else {
			w.c.server.Log.Debug("a handler gave a Content-Length that is none", "length", text)
			delete(w.header, "Content-Length")
		}
	}
	if w.settled() {
		w.writeHead(w.header, nil)
		return
	}
	w.sent = w.header.Clone()
	if hold, ok := w.c.server.held.Get().(*bufio.Writer); ok {
		hold.Reset(pieces{w})
		w.hold = hold
	} else {
		w.hold = bufio.NewWriterSize(pieces{w}, holdBuffer)
	}
}

// settled reports whether the head does not depend on the body.
func (w *response) settled() bool {
	if !w.allowed() {
		return true
	}
	_, typed := w.header["Content-Type"]
	return typed && w.length >= 0 && len(w.header["Transfer-Encoding"]) == 0
}

// allowed reports whether the status allows a body.
func (w *response) allowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

func (w *response) interim(status int) {
	b := appendStatus(w.c.out.AvailableBuffer(), status)
	_, _ = w.c.out.Write(b) // the buffer keeps the error
	_ = w.header.WriteSubset(w.c.out, map[string]bool{"Content-Length": true, "Transfer-Encoding": true})
	_, _ = w.c.out.WriteString("\r\n")
	_ = w.c.out.Flush()
}

// Write sends a part of the body.
func (w *response) Write(p []byte) (int, error) {
	to, err := w.body(len(p))
	if err != nil || len(p) == 0 {
		return 0, err
	}
	return to.Write(p)
}

// WriteString is Write for a string.
func (w *response) WriteString(s string) (int, error) {
	to, err := w.body(len(s))
	if err != nil || s == "" {
		return 0, err
	}
	return to.WriteString(s)
}

// body counts n more bytes and returns where they go.
func (w *response) body(n int) (textWriter, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil, nil //nolint:nilnil // nothing goes nowhere
	}
	if !w.allowed() {
		return nil, http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	switch {
	case w.length >= 0 && w.written > w.length:
		return nil, http.ErrContentLength
	case w.hold != nil:
		return w.hold, nil
	case w.head:
		return nowhere{}, nil
	}
	return closing{w.c}, nil
}

// Flush sends what there is.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what there is.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	err := w.release()
	if flushErr := w.c.out.Flush(); err == nil {
		err = flushErr
	}
	return err
}

// release ends the wait of head and body.
func (w *response) release() error {
	var err error
	if w.hold != nil {
		err = w.hold.Flush()
	}
	if !w.headed {
		w.writeHead(w.sent, nil)
	}
	return err
}

// ReadFrom sends a part of the body that the kernel can move, if it can and the body has a length.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	to, ok := w.c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(onlyWriter{w}, src)
	}
	if !w.headed {
		n, err = io.Copy(onlyWriter{w}, io.LimitReader(src, sniffed))
		if err != nil || n < sniffed {
			return n, err
		}
	}
	if err := w.FlushError(); err != nil {
		return n, err
	}
	var more int64
	if w.chunked || w.head || !w.allowed() {
		more, err = io.Copy(onlyWriter{w}, src)
	} else {
		more, err = to.ReadFrom(src)
		w.written += more
	}
	return n + more, err
}

// onlyWriter hides ReadFrom.
type onlyWriter struct{ io.Writer }

// SetReadDeadline is for http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	w.c.touched.Store(true)
	w.c.bounded.Store(!t.IsZero())
	return w.c.SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.c.guarded.Store(true)
	return w.c.SetWriteDeadline(t)
}

// EnableFullDuplex is for http.ResponseController: the body may be read on after the response has begun.
func (w *response) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// finish sends the rest of the response and reports whether another may follow on the connection.
func (w *response) finish() (again bool) {
	w.over = true
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_ = w.release() // the buffer keeps the error
	if w.hold != nil {
		w.hold.Reset(nil)
		w.c.server.held.Put(w.hold)
		w.hold = nil
	}
	if w.chunked {
		w.endChunks()
	}
	_ = w.c.out.Flush()
	if w.c.writeErr != nil {
		return false
	}
	if w.asked != nil && !w.asked.skip() {
		w.c.linger()
		return false
	}
	if w.last {
		return false
	}
	return w.head || w.length < 0 || !w.allowed() || w.length == w.written // or the client waits for the rest
}
