package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// strictListener's connections are inspected as framing says. When the TCP listener is closed Accept waits for Close: its
// server goes on with the connections that it has.
type strictListener struct {
	*net.TCPListener

	stall  time.Duration
	closed chan struct{}
	once   sync.Once
}

func newStrictListener(ln *net.TCPListener, stall time.Duration) *strictListener {
	return &strictListener{TCPListener: ln, stall: stall, closed: make(chan struct{})}
}

// Close stops listening.
func (l *strictListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return closed(l.TCPListener)
}

// Accept waits for a connection.
func (l *strictListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if errors.Is(err, net.ErrClosed) {
		<-l.closed
	}
	if err != nil {
		return nil, err
	}
	limitStall(c, l.stall)
	return &strictConn{TCPConn: c}, nil
}

// limitStall makes the kernel drop a connection whose client takes nothing for so long (TCP_USER_TIMEOUT, Linux): the one
// limit that holds while a body is spliced.
func limitStall(c *net.TCPConn, d time.Duration) {
	const userTimeout = 18
	raw, err := c.SyscallConn()
	if err != nil || runtime.GOOS != "linux" {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(d.Milliseconds())) // older kernels do without
	})
}

// strictConn inspects what is read. Writes go to the TCP connection itself, which can splice.
type strictConn struct {
	*net.TCPConn
	framing framing
}

func (c *strictConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.framing.inspect(p[:n])
	return n, err
}

// tlsListener does the handshake before it hands a connection out, to know which of them speak HTTP/1. When the listener
// below is closed, handshakes under way end as they should.
type tlsListener struct {
	net.Listener
	config  *tls.Config
	timeout time.Duration // of a handshake
	stall   time.Duration
	ready   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newTLSListener(ln net.Listener, config *tls.Config, limits Limits) *tlsListener {
	l := &tlsListener{
		Listener: ln, config: config, timeout: limits.HeaderTime, stall: limits.Proxy.Stall,
		ready: make(chan net.Conn), closed: make(chan struct{}),
	}
	go l.run()
	return l
}

// Accept waits for a connection whose handshake is done.
func (l *tlsListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops listening.
func (l *tlsListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return closed(l.Listener)
}

// closed closes a listener, which a gateway that retires has done already.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (l *tlsListener) run() {
	for {
		c, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: others will end
			select {
			case <-l.closed:
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			limitStall(tcp, l.stall)
		}
		go l.handshake(c)
	}
}

const acceptPause = 50 * time.Millisecond

func (l *tlsListener) handshake(raw net.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	c := tls.Server(raw, l.config)
	if err := c.HandshakeContext(ctx); err != nil {
		if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && looksLikeHTTP(e.RecordHeader) {
			_, _ = io.WriteString(e.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS.\n")
		}
		_ = raw.Close()
		return
	}
	var ready net.Conn = c
	if c.ConnectionState().NegotiatedProtocol != "h2" {
		ready = &strictTLSConn{Conn: c}
	}
	select {
	case l.ready <- ready:
	case <-l.closed:
		_ = raw.Close()
	}
}

func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// strictTLSConn inspects what is read. net/http takes the state of TLS from ConnectionState.
type strictTLSConn struct {
	*tls.Conn
	framing framing
}

func (c *strictTLSConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.framing.inspect(p[:n])
	return n, err
}
