package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/http1"
)

// door is the listener of an http.Server. Connections come in as guests, after the handshake if it has TLS, to know which of them speak
// HTTP/1: those are served by the one who serves what is usual; what he leaves, and HTTP/2, the http.Server accepts. When the TCP
// listener is closed Accept goes on until Close: connections that are there go on, and handshakes under way end as they should.
type door struct {
	*net.TCPListener
	gateway *Gateway
	config  *tls.Config   // nil without TLS
	usual   *http1.Server // nil where there is none
	clear   *clear        // nil: HTTP/2 is not served without TLS
	ready   chan net.Conn
	closed  chan struct{}
	ended   chan struct{} // closed when no more guests come
	once    sync.Once
}

func newDoor(g *Gateway, ln *net.TCPListener, config *tls.Config, usual *http1.Server) *door {
	d := &door{
		TCPListener: ln, gateway: g, config: config, usual: usual,
		ready: make(chan net.Conn), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	go d.run()
	return d
}

// Accept waits for a connection that is the http.Server's.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.ready:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close stops listening.
func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return closed(d.TCPListener)
}

// closed closes a listener, which a gateway that retires has done already.
func closed(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (d *door) run() {
	defer close(d.ended)
	for {
		c, err := d.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: others will end
			select {
			case <-d.closed:
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		if g := d.gateway.crowd.admit(c); g != nil {
			g.counted = true
			d.gateway.open.Add(1)
			go d.welcome(g)
		}
	}
}

// welcome serves a guest or hands it over.
func (d *door) welcome(g *guest) {
	if d.config == nil {
		switch unread, theirs, first := d.serve(g); {
		case theirs && first && d.clear != nil && begins(unread):
			d.clear.serve(g, unread)
		case theirs:
			d.handOver(&strictConn{guest: g, strict: strict{unread: unread}})
		}
		return
	}
	switch c := d.handshake(g); {
	case c == nil:
	case c.ConnectionState().NegotiatedProtocol == "h2":
		d.handOver(c)
	default:
		go d.welcomeTLS(c) // with a stack that no handshake made large
	}
}

func (d *door) welcomeTLS(c *tls.Conn) {
	if unread, theirs, _ := d.serve(c); theirs {
		d.handOver(&strictTLSConn{Conn: c, strict: strict{unread: unread}})
	}
}

func (d *door) serve(c net.Conn) (unread []byte, theirs, first bool) {
	if d.usual == nil {
		return nil, true, true
	}
	return d.usual.Serve(c)
}

func (d *door) handOver(c net.Conn) {
	select {
	case d.ready <- c:
	case <-d.closed:
		_ = c.Close()
		d.gateway.stateChanged(c, http.StateClosed)
	}
}

const acceptPause = 50 * time.Millisecond

// handshake returns nil if it failed.
func (d *door) handshake(g *guest) *tls.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), d.gateway.crowd.limits.HeaderTime)
	defer cancel()
	c := tls.Server(g, d.config)
	if err := c.HandshakeContext(ctx); err != nil {
		if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && looksLikeHTTP(e.RecordHeader) {
			_, _ = io.WriteString(e.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS.\n")
		}
		_ = g.Close()
		d.gateway.open.Add(-1)
		return nil
	}
	return c
}

func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// strict inspects what is read, as framing says, beginning with what somebody else has read and not used.
type strict struct {
	unread  []byte
	framing framing
}

func (s *strict) read(from io.Reader, p []byte) (n int, err error) {
	if len(s.unread) > 0 {
		n = copy(p, s.unread)
		if s.unread = s.unread[n:]; len(s.unread) == 0 {
			s.unread = nil
		}
	} else {
		n, err = from.Read(p)
	}
	s.framing.inspect(p[:n])
	return n, err
}

// strictConn is a guest of whom what is read is inspected. Writes go to the TCP connection itself, which can splice.
type strictConn struct {
	*guest
	strict strict
}

func (c *strictConn) Read(p []byte) (int, error) { return c.strict.read(c.guest, p) }

// strictTLSConn is the same over TLS. net/http takes the state of TLS from ConnectionState.
type strictTLSConn struct {
	*tls.Conn
	strict strict
}

func (c *strictTLSConn) Read(p []byte) (int, error) { return c.strict.read(c.Conn, p) }
