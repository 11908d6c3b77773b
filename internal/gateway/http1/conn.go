package http1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// headRoom is how large a head may be. net/http takes larger ones, so that none is served here that would
// be refused there.
const headRoom = 4 << 10

// The phases of a connection.
const (
	fresh  int32 = iota // no head was read yet
	idle                // between two requests
	active              // a request is in work
	closed              // by Drain
)

// conn is a connection that is served.
type conn struct {
	net.Conn
	server *Server
	made   time.Time
	remote string
	tls    *tls.ConnectionState
	ctx    context.Context // requests' are made of it
	id     uint64          // for hangups
	phase  atomic.Int32

	buf        []byte
	start, end int          // what of buf was read and belongs to no request yet
	request    http.Request // as it was parsed
	lastPost   bool         // the last request was a POST

	until   time.Time   // the read deadline that was set
	touched atomic.Bool // a handler has set another
	bounded atomic.Bool // and it is a time, not none
	guarded atomic.Bool // a handler has set a write deadline

	out      *bufio.Writer // to the client, while a request is in work
	writeErr error

	mu      sync.Mutex
	left    bool               // the client has closed its side
	reading bool               // and is to be asked only once all of the body was read
	cancel  context.CancelFunc // of the request in work
}

func (s *Server) newConn(nc net.Conn) *conn {
	c := &conn{Conn: nc, server: s, made: time.Now(), ctx: context.Background(), buf: make([]byte, headRoom)}
	if addr := nc.RemoteAddr(); addr != nil {
		c.remote = addr.String()
	}
	if secure, ok := nc.(*tls.Conn); ok {
		state := secure.ConnectionState()
		c.tls = &state
	}
	if s.Context != nil {
		c.ctx = s.Context(c.ctx, nc)
	}
	return c
}

// watched has the kernel tell when the client leaves, and reports whether it does.
func (c *conn) watched() bool {
	nc := c.Conn
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	return err == nil && c.server.hangups.add(c, raw) == nil
}

// serve serves requests until the connection is to be closed, or has one that is theirs.
func (c *conn) serve() (theirs bool) {
	c.readBy(time.Now().Add(c.server.HeadTime))
	for {
		size, theirs := c.next()
		if size == 0 {
			return theirs
		}
		if !c.phase.CompareAndSwap(idle, active) && !c.phase.CompareAndSwap(fresh, active) {
			return false
		}
		c.server.state(c.Conn, http.StateActive)
		if !c.answer(size) {
			return false
		}
		c.phase.Store(idle)
		c.server.state(c.Conn, http.StateIdle)
		if c.server.draining.Load() {
			return false
		}
		if wait := time.Now().Add(c.server.IdleTime); c.until.Before(wait) || c.touched.Load() {
			c.readBy(wait.Add(c.server.IdleTime / 16))
		}
	}
}

func (c *conn) readBy(t time.Time) {
	c.until = t
	c.touched.Store(false)
	c.bounded.Store(false)
	_ = c.SetReadDeadline(t) // fails only if the connection is closed, which reading says
}

// next reads a request into c.request and returns the size of its head. It is 0 if the connection ended, or if what comes is
// theirs.
func (c *conn) next() (size int, theirs bool) {
	begun, look := c.phase.Load() == fresh, true
	for {
		if c.skipEmpty(); look && c.start < c.end {
			size, verdict := parse(c.buf[c.start:c.end], &c.request)
			if verdict != partial {
				return size, verdict == strange
			}
		}
		if c.end-c.start == len(c.buf) {
			return 0, true
		}
		if !begun && c.start < c.end {
			begun = true
			c.readBy(time.Now().Add(c.server.HeadTime))
		}
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
		n, err := c.Read(c.buf[c.end:])
		look = bytes.IndexByte(c.buf[c.end:c.end+n], '\n') >= 0 // only a line can end a head, or show that it is strange
		c.end += n
		if err != nil && n == 0 {
			return 0, c.end > 0 && errors.Is(err, io.EOF) // a head that is not whole has an answer
		}
	}
}

// skipEmpty drops the empty line that old clients send after the body of a POST.
func (c *conn) skipEmpty() {
	for n := 0; c.lastPost && c.start < c.end; n++ {
		b := c.buf[c.start]
		if c.lastPost = n < 4 && (b == '\r' || b == '\n'); c.lastPost {
			c.start++
		}
	}
}

// answer has the handler answer the request, whose head has so many bytes, and reports whether another one may follow.
func (c *conn) answer(size int) (again bool) {
	ctx, cancel := context.WithCancel(c.ctx)
	r := c.request.WithContext(ctx)
	c.request = http.Request{} // or a connection that waits would keep it
	r.RemoteAddr, r.TLS = c.remote, c.tls
	c.start += size
	b := c.takeBody(r)
	defer b.end()
	c.lastPost = r.Method == http.MethodPost
	c.mu.Lock()
	c.cancel, c.reading = cancel, b != nil && b.more > 0
	if c.left && !c.reading {
		time.AfterFunc(0, cancel) // the handler has begun by then, as if it had just become known
	}
	c.mu.Unlock()
	c.out = c.server.writer(c)
	w := c.newResponse(r, b)
	defer func() {
		if reason := recover(); reason != nil {
			again = false
			c.failed(reason)
			if w.hold != nil { // or the client might get all of a response that has failed
				_ = c.out.Flush()
			}
		}
		cancel()
		c.server.free(c.out)
	}()
	c.server.Handler.ServeHTTP(w, r)
	cancel()
	again = w.finish()
	if c.guarded.Swap(false) {
		_ = c.SetWriteDeadline(time.Time{})
	}
	return again
}

// takeBody makes the body of the request from what was read behind its head and from what is still to come; nil if it has none.
func (c *conn) takeBody(r *http.Request) *body {
	if r.ContentLength <= 0 {
		return nil
	}
	n := min(r.ContentLength, int64(c.end-c.start))
	b := &body{c: c, left: c.buf[c.start : c.start+int(n)], more: r.ContentLength - n}
	c.start += int(n)
	r.Body = b
	if b.more > 0 {
		c.readBy(time.Time{}) // whoever reads it says how long
	}
	return b
}

// failed notes that a handler panicked, unless that is how it said that the response is to be cut.
func (c *conn) failed(reason any) {
	if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return
	}
	const most = 64 << 10
	stack := make([]byte, most)
	stack = stack[:runtime.Stack(stack, false)]
	c.server.Log.Debug("a handler panicked", "client", c.remote, "panic", reason, "stack", string(stack))
}

// hungUp notes that the client has closed its side.
func (c *conn) hungUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
	if c.cancel != nil && !c.reading {
		c.cancel()
	}
}

// bodyRead notes that all of the request was read: now it matters that the client has closed its side.
func (c *conn) bodyRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if c.left && c.cancel != nil {
		c.cancel()
	}
}
