package proxy

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"time"

	"github.com/aloft-run/aloft/internal/edge"
)

const spliceMin = 16 << 10 // from this size on a body is moved inside the kernel, if the client's connection allows it

// respond passes the answer on: head, body, trailer.
func (e *exchange) respond(res response) {
	e.writeHead(res)
	bodyless := !res.hasBody(e.r.Method) || res.length == 0 && !res.chunked
	if !bodyless && e.conn.Reader.Buffered() == 0 {
		e.flush() // the client learns the head while the app prepares the body
	}
	var err error
	switch {
	case bodyless:
	case res.chunked:
		err = e.copyChunked()
	case res.length >= 0:
		err = e.copySized(res.length)
	default:
		res.close = true
		err = e.copyStream(e.conn.Reader, -1)
	}
	e.watch.end()
	if e.guarded && e.r.ProtoMajor == 1 { // the server still has to write what it buffers
		_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(e.h.limits.Stall))
	}
	if err != nil {
		e.cut = true
		e.flush()
		panic(http.ErrAbortHandler) // the client must see that the response is not whole
	}
	if e.body.done != nil {
		e.flush()
	}
	if whole := e.body.finish(e); whole && !res.close {
		e.conn.Keep()
	} else {
		e.conn.Discard()
	}
	e.conn = nil
}

// writeHead gives the fields to the client's server, in which the app's word counts: no type is guessed for it.
func (e *exchange) writeHead(res response) {
	h := e.w.Header()
	delete(h, "Server") // Caddy's
	values := make([]string, len(e.fields))
	drop := e.drop[:0]
	for _, f := range e.fields {
		if f.key == "Connection" {
			drop = connectionTokens(drop, []string{f.value})
		}
	}
	e.drop = drop
	for i, f := range e.fields {
		if edge.HopByHop(f.key) || f.key == "X-Request-Id" || f.key == "Content-Length" || slices.Contains(drop, f.key) {
			continue
		}
		if f.key == "Trailer" && (!res.chunked || !res.hasBody(e.r.Method)) {
			continue
		}
		values[i] = f.value
		if old, ok := h[f.key]; ok {
			h[f.key] = append(old, f.value)
		} else {
			h[f.key] = values[i : i+1 : i+1]
		}
	}
	if res.length >= 0 && !res.chunked {
		h["Content-Length"] = []string{itoa64(res.length)}
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil
	}
	if !e.body.read.Load() {
		e.closeAfter() // an early answer: the rest of the body will not be waited for
	}
	e.status = res.status
	e.body.heard.Store(true)
	e.w.WriteHeader(res.status)
}

// closeAfter makes the server close an HTTP/1 client's connection after the response.
func (e *exchange) closeAfter() {
	if e.r.ProtoMajor == 1 {
		e.w.Header()["Connection"] = []string{"close"}
	}
}

// copySized copies a body of n bytes.
func (e *exchange) copySized(n int64) error {
	r := e.conn.Reader
	if first := min(n, int64(r.Buffered())); first > 0 {
		b, _ := r.Peek(int(first))
		if err := e.write(b, n > first); err != nil {
			return err
		}
		_, _ = r.Discard(int(first))
		n -= first
	}
	if n == 0 {
		return nil
	}
	if to, ok := e.w.(io.ReaderFrom); ok && n >= spliceMin && e.r.ProtoMajor == 1 && e.r.TLS == nil {
		defer e.h.splices.Add(-1)
		if int(e.h.splices.Add(1)) <= e.h.limits.Splices {
			return e.splice(to, n)
		}
	}
	return e.copyStream(io.LimitReader(r, n), n)
}

// splice lets the server move the body from connection to connection without copying it through this process.
func (e *exchange) splice(to io.ReaderFrom, n int64) error {
	if e.guarded { // it would bound the app's slowness too; the listener bounds the client's
		_ = http.NewResponseController(e.w).SetWriteDeadline(time.Time{})
		e.guarded = false
	}
	from := &io.LimitedReader{R: e.conn.Conn, N: n}
	moved, err := to.ReadFrom(from)
	e.sent += moved
	if err == nil && from.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// copyStream copies until r ends and checks that exactly length bytes came; -1 is any length.
func (e *exchange) copyStream(r io.Reader, length int64) error {
	client := e.client()
	buf := buffer(&e.h.small, smallBuffer)
	defer func() { e.h.small.Put(buf) }()
	for left := length; left != 0; {
		if client != nil && e.sent >= roomFrom && !client.Room() {
			e.h.small.Put(buf)
			err := e.awaitRoom(client)
			buf = buffer(&e.h.small, smallBuffer)
			if err != nil {
				return err
			}
		}
		n, last, err := e.copyPiece(r, *buf, left)
		if err != nil {
			return err
		}
		if length > 0 {
			left -= n
		}
		if last && left > 0 {
			return io.ErrUnexpectedEOF
		}
		if last {
			break
		}
	}
	return nil
}

// copyPiece copies what one read gives of a body of which left bytes are to come, and reports whether r has ended.
func (e *exchange) copyPiece(r io.Reader, buf []byte, left int64) (n int64, last bool, err error) {
	got, err := r.Read(buf)
	n = int64(got)
	if got > 0 {
		more := err == nil && n != left
		if werr := e.write(buf[:got], more && e.waiting()); werr != nil {
			return n, false, werr
		}
	}
	if err == io.EOF { // wrapped and joined errors are no end
		return n, true, nil
	}
	return n, false, err
}

// waiting reports whether nothing more of the response has come yet: then the client gets what there is. Two bytes may be
// the end of a chunk.
func (e *exchange) waiting() bool { return e.conn.Reader.Buffered() <= 2 }

func (e *exchange) copyChunked() error {
	if err := e.copyStream(httputil.NewChunkedReader(e.conn.Reader), -1); err != nil {
		return err
	}
	return e.trailer(e.conn.Reader)
}

// trailer reads the fields after a chunked body and passes them on.
func (e *exchange) trailer(r *bufio.Reader) error {
	var size int
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if size += len(line); size > e.h.limits.ResponseHead {
			return errTooLarge
		}
		text, _ := cutLine(string(line))
		if text == "" {
			return nil
		}
		f, ok := parseField(text)
		if !ok {
			return errMalformed
		}
		if !edge.HopByHop(f.key) && f.key != "Content-Length" {
			e.w.Header().Add(http.TrailerPrefix+f.key, f.value)
		}
	}
}

// write sends a piece of the body to the client, which must take it within the stall time, and flushes it if asked to.
func (e *exchange) write(p []byte, flush bool) error {
	guard := flush || len(p) > 2<<10 // what is smaller is only buffered here
	var rc *http.ResponseController
	if guard {
		rc = http.NewResponseController(e.w)
		e.guarded = true
		_ = rc.SetWriteDeadline(time.Now().Add(e.h.limits.Stall))
	}
	n, err := e.w.Write(p)
	e.sent += int64(n)
	if err == nil && flush {
		err = rc.Flush()
	}
	if guard && e.r.ProtoMajor != 1 {
		_ = rc.SetWriteDeadline(time.Time{}) // a stream's deadline resets it even while nothing is written
	}
	return err
}

func (e *exchange) flush() { _ = http.NewResponseController(e.w).Flush() }
