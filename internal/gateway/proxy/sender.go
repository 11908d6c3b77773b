package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft/internal/edge"
)

// sender carries the request body to the app. A small one goes out with the head; the rest of a larger one is sent by a
// goroutine of its own, because the app may answer before it has read all, or read only while its answer is read.
type sender struct {
	left    int64         // bytes not read from the client yet; -1 if unknown
	started bool          // some of the body was read beyond what e.head holds: the request cannot be repeated
	done    chan struct{} // closed when the goroutine has ended; nil if there is none
	read    atomic.Bool   // the client delivered the whole body
	client  atomic.Bool   // the client failed to deliver the body
	cause   error         // why; to be read once client is true
	failed  atomic.Bool   // the body was not sent whole
	unread  atomic.Bool   // for the app did not read it
	heard   atomic.Bool   // the app has begun to answer: client and app may talk as slowly as they like
	waited  time.Duration // for the client, until now
	got     int64         // bytes meanwhile
	peer    Client        // nil if not known
}

// pacedBody is a request body that somebody in this process reads. Its client has to deliver it as one of an app has.
type pacedBody struct {
	io.ReadCloser
	e *exchange
}

func (b *pacedBody) Read(p []byte) (int, error) { return b.e.body.paced(b.e, b.ReadCloser.Read, p) }

// pace makes the request's body one that is waited for as apps' are, unless it is there already.
func (e *exchange) pace() {
	if here, ok := e.r.Body.(interface{ Whole() bool }); e.r.ContentLength == 0 || ok && here.Whole() {
		return
	}
	e.r.Body = &pacedBody{e.r.Body, e}
}

// begin reads the first part of the body behind the head. A body without a stated length is not waited for: its client
// may want to hear from the app first.
func (s *sender) begin(e *exchange) error {
	s.left = e.r.ContentLength
	if s.left <= 0 {
		s.read.Store(s.left == 0)
		return nil
	}
	e.head = slices.Grow(e.head, max(0, bodyBuffer-len(e.head)))
	whole := s.left <= int64(cap(e.head)-len(e.head))
	for s.left > 0 && len(e.head) < cap(e.head) {
		room := e.head[len(e.head):min(cap(e.head), len(e.head)+int(min(s.left, int64(cap(e.head)))))]
		n, err := s.receive(e, room)
		e.head = e.head[:len(e.head)+n]
		s.left -= int64(n)
		if err != nil && s.left > 0 {
			return err
		}
		if !whole {
			break
		}
	}
	s.read.Store(s.left == 0)
	return nil
}

// receive reads from the client, which must send something within the stall time, and keep to the minimum rate
// while the app waits for it.
func (s *sender) receive(e *exchange, p []byte) (int, error) { return s.paced(e, e.r.Body.Read, p) }

// paced is receive for any way to read.
func (s *sender) paced(e *exchange, read func([]byte) (int, error), p []byte) (int, error) {
	rc := http.NewResponseController(e.w)
	begun := time.Now()
	_ = rc.SetReadDeadline(begun.Add(e.h.limits.Stall))
	n, err := read(p)
	_ = rc.SetReadDeadline(time.Time{})
	s.got += int64(n)
	if s.waited += time.Since(begun); s.waited > e.h.limits.Stall && err == nil {
		if !s.heard.Load() && float64(s.got) < float64(e.h.limits.MinRate)*s.waited.Seconds() {
			err = os.ErrDeadlineExceeded
		}
		s.waited, s.got = 0, 0
	}
	return n, err
}

// all starts sending the whole body: the app said "100 Continue".
func (s *sender) all(e *exchange) {
	s.left = e.r.ContentLength
	s.stream(e)
}

// stream starts sending what is left of the body.
func (s *sender) stream(e *exchange) {
	if s.left == 0 {
		return
	}
	e.duplex()
	s.started, s.peer = true, e.client()
	s.done = make(chan struct{})
	go s.run(e)
}

// duplex lets body and response travel at the same time.
func (e *exchange) duplex() {
	if e.r.ProtoMajor == 1 {
		_ = http.NewResponseController(e.w).EnableFullDuplex()
	}
}

func (s *sender) run(e *exchange) {
	defer close(s.done)
	var err error
	if s.left > 0 {
		err = s.sized(e)
	} else {
		err = s.chunks(e)
	}
	if err != nil {
		s.failed.Store(true)
	}
	if s.client.Load() || s.unread.Load() {
		_ = e.conn.Conn.Close() // the app waits for what will not come
	}
	_ = e.conn.SetWriteDeadline(time.Time{})
}

func (s *sender) sized(e *exchange) error {
	u := e.upload()
	defer u.free()
	for s.left > 0 {
		room := u.buf[:min(int64(len(u.buf)), s.left)]
		n, err := s.receive(e, room)
		s.left -= int64(n)
		s.read.Store(s.left == 0)
		if n > 0 {
			if werr := s.deliver(e, room[:n]); werr != nil {
				return werr
			}
		}
		if err != nil && s.left > 0 {
			return s.clientFailed(err)
		}
		if n == len(u.buf) {
			if u.large != nil && s.left >= spliceMin {
				if p := e.pipe(); p != nil {
					return s.splice(e, p)
				}
			}
			u.filled()
		}
	}
	return nil
}

// chunks sends a body of unknown length: each piece as it comes, then the trailer.
func (s *sender) chunks(e *exchange) error {
	const room = 10 // for "ffffffff\r\n" before and "\r\n" after
	u := e.upload()
	defer u.free()
	for {
		buf := u.buf
		n, err := s.receive(e, buf[room:len(buf)-2])
		if n > 0 {
			size := strconv.AppendInt(make([]byte, 0, room), int64(n), 16)
			start := room - 2 - len(size)
			copy(buf[start:], size)
			copy(buf[room-2:], "\r\n")
			copy(buf[room+n:], "\r\n")
			if werr := s.deliver(e, buf[start:room+n+2]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			s.read.Store(true)
			break
		}
		if err != nil {
			return s.clientFailed(err)
		}
		if n == len(buf)-room-2 {
			u.filled()
		}
	}
	return s.trailer(e, u.buf)
}

func (s *sender) trailer(e *exchange, buf []byte) error {
	end := append(buf[:0], "0\r\n"...)
	for key, values := range e.r.Trailer {
		for _, v := range values {
			if !edge.HopByHop(key) && !edge.Ours(key) {
				end = appendField(end, key, v)
			}
		}
	}
	return s.deliver(e, append(end, "\r\n"...))
}

// finish waits until the goroutine has ended and reports whether the app has the whole body. The response is complete by
// now; an app that goes on reading gets a moment to do so.
func (s *sender) finish(e *exchange) bool {
	if s.done == nil {
		return s.read.Load()
	}
	grace := time.NewTimer(earlyGrace)
	defer grace.Stop()
	select {
	case <-s.done:
	case <-grace.C:
		s.abort(e)
	}
	return !s.failed.Load()
}

// abort ends the goroutine. The server may then read what is left of the body for a moment before it closes the client's
// connection: closing with unread bytes would reset it, and the client could lose the response.
func (s *sender) abort(e *exchange) {
	if s.done == nil {
		return
	}
	rc := http.NewResponseController(e.w)
	for {
		select {
		case <-s.done:
			return
		default:
		}
		s.failed.Store(true)
		_ = e.conn.Conn.Close()
		_ = rc.SetReadDeadline(time.Unix(1, 0)) // again and again: the goroutine may be about to set its own
		select {
		case <-s.done:
			_ = rc.SetReadDeadline(time.Now().Add(earlyGrace))
			return
		case <-time.After(abortRetry):
		}
	}
}

const (
	earlyGrace = 500 * time.Millisecond
	abortRetry = 5 * time.Millisecond
)

func (s *sender) clientFailed(err error) error {
	s.cause = err
	s.client.Store(true)
	return err
}

// malformed reports whether a chunked body could not be read for its form, not for its connection.
func malformed(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return !network && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, http.ErrBodyReadAfterClose)
}
