package upstream

import (
	"bufio"
	"net"
	"syscall"
	"time"
)

// Conn is a connection to an instance. One request at a time has it, and gives it back with Keep, Discard or Detach.
type Conn struct {
	net.Conn
	Reader *bufio.Reader // reads Conn; keeps what was read ahead
	Reused bool          // it has carried a request before

	owner *Upstream
	raw   syscall.RawConn // nil if Conn has no file descriptor
	peek  func(fd uintptr) bool
	alive bool      // what peek found
	since time.Time // when it became idle
	index int       // its place in owner.busy
}

func (u *Upstream) newConn(c net.Conn) *Conn {
	conn := &Conn{Conn: c, owner: u}
	if r, ok := u.readers.Get().(*bufio.Reader); ok {
		r.Reset(c)
		conn.Reader = r
	} else {
		conn.Reader = bufio.NewReader(c)
	}
	if sc, ok := c.(syscall.Conn); ok {
		conn.raw, _ = sc.SyscallConn()
		conn.peek = conn.peekFD
	}
	return conn
}

// Keep gives the connection back for another request. The caller has read the whole response and cleared all deadlines.
func (c *Conn) Keep() {
	if c.Reader.Buffered() > 0 { // more than was promised: what comes next cannot be trusted to be an answer
		c.Discard()
		return
	}
	c.Reused = true
	c.since = time.Now()
	c.owner.keep(c)
}

// Discard closes the connection. A second call is harmless if nothing else was done with the connection since.
func (c *Conn) Discard() {
	_ = c.Conn.Close()
	if c.owner.forget(c) {
		c.owner.readers.Put(c.Reader)
		c.Reader = nil
	}
}

// Detach takes the connection out of the upstream's care: Cut no longer closes it, the caller does.
func (c *Conn) Detach() { c.owner.forget(c) }

// quiet reports whether the other side has neither closed the connection nor sent anything. It costs one system call.
func (c *Conn) quiet() bool {
	if c.raw == nil {
		return true
	}
	c.alive = false
	return c.raw.Read(c.peek) == nil && c.alive
}

func (c *Conn) peekFD(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.alive = err == syscall.EAGAIN
	return true
}
