package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// strictListener's connections are guests that are inspected as framing says. When the TCP listener is closed Accept waits for
// Close: its server goes on with the connections that it has.
type strictListener struct {
	*net.TCPListener
	crowd  *crowd
	closed chan struct{}
	once   sync.Once
}

func newStrictListener(ln *net.TCPListener, crowd *crowd) *strictListener {
	return &strictListener{TCPListener: ln, crowd: crowd, closed: make(chan struct{})}
}

// Close stops listening.
func (l *strictListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return closed(l.TCPListener)
}

// Accept waits for a connection.
func (l *strictListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			<-l.closed
		}
		if err != nil {
			return nil, err
		}
		if g := l.crowd.admit(c); g != nil {
			return &strictConn{guest: g}, nil
		}
	}
}

// strictConn inspects what is read. Writes go to the TCP connection itself, which can splice.
type strictConn struct {
	*guest
	framing framing
}

func (c *strictConn) Read(p []byte) (int, error) {
	n, err := c.guest.Read(p)
	c.framing.inspect(p[:n])
	return n, err
}

// tlsListener does the handshake before it hands a connection out, to know which of them speak HTTP/1. When the listener
// below is closed, handshakes under way end as they should.
type tlsListener struct {
	*net.TCPListener
	config *tls.Config
	crowd  *crowd
	ready  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newTLSListener(ln *net.TCPListener, config *tls.Config, crowd *crowd) *tlsListener {
	l := &tlsListener{TCPListener: ln, config: config, crowd: crowd, ready: make(chan net.Conn), closed: make(chan struct{})}
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
	return closed(l.TCPListener)
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
		c, err := l.AcceptTCP()
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
		if g := l.crowd.admit(c); g != nil {
			go l.handshake(g)
		}
	}
}

const acceptPause = 50 * time.Millisecond

func (l *tlsListener) handshake(raw net.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), l.crowd.limits.HeaderTime)
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
