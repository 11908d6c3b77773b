package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
)

const (
	together   = 64 << 10 // bodies up to this are sent at once, larger ones while the response is awaited
	maxInterim = 32       // 1xx responses to a request
)

// exchange is one request to the server.
type exchange struct {
	link *link

	method string
	head   []byte // with the empty line at its end; reused by the caller
	body   []byte

	began   bool          // there is a connection, so that something may have been sent
	stop    func() bool   // unties the connection from the context
	sent    chan struct{} // closed when the body is sent; nil if it was at once
	closing bool          // the connection ends with the response
}

// answer is a response: its body is read from the exchange's connection.
type answer struct {
	status int
	header http.Header
	body   io.Reader
	length int64 // -1: unknown
}

// do sends the request and returns the head of the response, whose body is to be read before close. The end of ctx breaks it off.
func (x *exchange) do(ctx context.Context, addr net.Addr) (*answer, error) {
	l := x.link
	if err := l.open(ctx, addr); err != nil {
		return nil, err
	}
	conn := l.conn
	x.began, x.closing = true, true
	x.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	sendErr := x.send()
	for range maxInterim {
		r, err := http.ReadResponse(l.reader, &http.Request{Method: x.method}) //nolint:bodyclose // it ends with the connection
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && l.limit.N == 0:
			return nil, fmt.Errorf("its response head is longer than %d bytes", maxHead)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return nil, errors.New("the server closed the connection without an answer")
		case err != nil && sendErr != nil:
			return nil, sendErr
		case err != nil:
			return nil, err
		case r.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("it answered 101 to a request that did not ask for another protocol")
		case r.StatusCode >= 200:
			l.limit.N, x.closing = math.MaxInt64, r.Close
			return &answer{status: r.StatusCode, header: r.Header, body: r.Body, length: r.ContentLength}, nil
		}
	}
	return nil, fmt.Errorf("it sent more than %d interim responses", maxInterim)
}

// send writes the request. A server may answer without reading all of a large body: that is sent meanwhile.
func (x *exchange) send() error {
	if len(x.body) <= together {
		x.head = append(x.head, x.body...)
		_, err := x.link.conn.Write(x.head)
		return err
	}
	x.sent = make(chan struct{})
	conn := x.link.conn
	go func() {
		defer close(x.sent)
		x.link.whole, _ = writeBoth(conn, x.link.whole, x.head, x.body) // the answer, or that there is none, says what came of it
	}()
	return nil
}

// close ends the exchange: with the connection, unless the response was read whole and the connection can be used again.
func (x *exchange) close(whole bool) {
	if !x.began {
		return
	}
	if x.stop() && whole && !x.closing && x.link.reader.Buffered() == 0 && x.allSent() {
		return
	}
	x.link.close()
	if x.sent != nil {
		<-x.sent
	}
}

func (x *exchange) allSent() bool {
	if x.sent == nil {
		return true
	}
	select {
	case <-x.sent:
		return true
	default:
		return false
	}
}

// appendHead begins a request, without what could split it in target and host.
func appendHead(b []byte, method, target, host string) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = appendPlain(b, target)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = appendPlain(b, host)
	return append(b, "\r\n"...)
}

// place is a host and port.
type place string

// Network implements net.Addr.
func (place) Network() string { return "tcp" }

// String implements net.Addr.
func (p place) String() string { return string(p) }

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	return append(appendPlain(b, value), "\r\n"...)
}

// appendPlain appends a text without its control characters: they could end its line.
func appendPlain(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c != 0x7f || c == '\t' {
			b = append(b, c)
		}
	}
	return b
}

// appendAll appends what r has, at most limit bytes and one, by which the caller knows that there is more.
func appendAll(b []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):min(cap(b), limit+1)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil || len(b) > limit {
			return b, err
		}
	}
}
