package shim

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"time"
)

// keptTime is how long a connection to the server may have been idle to be used again. Lambda freezes environments between
// invocations, and when one is thawed the server's own timers close what it takes for idle: connections do not outlive that. Under
// load the next invocation comes within a millisecond, and nothing was frozen.
const keptTime = 100 * time.Millisecond

// mostLost is how many kept connections in a row a server may have closed that gets a connection for each request from then on: some
// close right after the response without saying so, and a request may just meet that.
const mostLost = 2

// link is a connection to the server, or none. Its reader is kept for the next one.
type link struct {
	secure string // the name of the host if it is to be reached by TLS
	blocks bool   // the connection

	conn   net.Conn
	addr   string
	used   time.Time // when it came to rest, by the clock on the wall, which goes on while the environment is frozen
	limit  io.LimitedReader
	reader *bufio.Reader
	whole  []byte // requests, reused
	kept   bool   // the connection was there already
	lost   int    // kept connections in a row that the server closed
}

// open connects to an address, unless there is a connection that can be used.
func (l *link) open(ctx context.Context, addr net.Addr) error {
	if l.conn != nil {
		if l.lost < mostLost && l.addr == addr.String() && l.fresh(time.Now()) {
			if quiet(l.conn) {
				l.limit.N, l.kept = maxHead, true
				return nil
			}
			l.lost++
		}
		l.close()
	}
	l.kept = false
	conn, err := dial(ctx, addr, l.blocks)
	if err != nil {
		return err
	}
	if l.secure != "" {
		conn = tls.Client(conn, &tls.Config{ServerName: l.secure, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	l.conn, l.addr, l.limit = conn, addr.String(), io.LimitedReader{R: conn, N: maxHead}
	if l.reader == nil {
		l.reader = bufio.NewReaderSize(&l.limit, 16<<10)
	}
	l.reader.Reset(&l.limit)
	return nil
}

// rest notes that a response was read whole, from when on the server takes the connection for idle.
func (l *link) rest() {
	l.used = time.Now().Round(0)
	if l.kept {
		l.lost = 0
	}
}

// fresh reports whether the connection has been idle for a moment only. Where the clock on the wall was set back nobody knows.
func (l *link) fresh(now time.Time) bool {
	idle := now.Round(0).Sub(l.used)
	return 0 <= idle && idle < keptTime
}

// close ends the connection.
func (l *link) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// quiet reports whether the other side has neither said anything nor closed the connection.
func quiet(conn net.Conn) bool {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent
}
