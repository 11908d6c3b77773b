package hostile_test

import (
	"bytes"
	"context"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is one HTTP/2 connection that says what it likes.
type peer struct {
	*http2.Framer
	conn   net.Conn
	buffer bytes.Buffer
	next   uint32 // stream
}

func (p *peer) field(name, value string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	e.SetMaxDynamicTableSize(0)
	_ = e.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: true})
	return b.Bytes()
}

// indexed is a field that the server is to keep in its table.
func (p *peer) indexed(name, value string) []byte {
	b := []byte{0x40, byte(len(name))}
	b = append(b, name...)
	b = hpackLength(b, uint64(len(value)))
	return append(b, value...)
}

// hpackLength appends the length of a plain string (RFC 7541 section 5.1).
func hpackLength(b []byte, n uint64) []byte {
	if n < 127 {
		return append(b, byte(n))
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func (p *peer) head() []byte {
	var b []byte
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "shop.localhost"}, {":path", "/large"}} {
		b = append(b, p.field(f[0], f[1])...)
	}
	return b
}

func (p *peer) request(endHeaders, endStream bool) error {
	return p.headers(p.head(), endHeaders, endStream)
}

func (p *peer) headers(block []byte, endHeaders, endStream bool) error {
	stream := p.next
	p.next += 2
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndHeaders: endHeaders, EndStream: endStream})
}

// dialHTTP2 opens a connection and says hello.
func dialHTTP2(ctx context.Context, addr string) (*peer, error) {
	conn, err := dialTLS(ctx, addr)
	if err != nil {
		return nil, err
	}
	p := &peer{conn: conn, next: 1}
	p.Framer = http2.NewFramer(&p.buffer, nil)
	p.AllowIllegalWrites = true
	p.buffer.WriteString(http2.ClientPreface)
	return p, p.WriteSettings()
}

// run attacks over one connection until the server closes it or ctx ends.
func (p *peer) run(ctx context.Context, a attack, f *fury) {
	defer p.conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = p.conn.Close() })
	defer stop()
	go func() { _, _ = io.Copy(f, p.conn) }()
	for said := 0; ctx.Err() == nil; said++ {
		if a(p) != nil {
			return
		}
		f.said.Add(1)
		if p.buffer.Len() < 16<<10 && p.next > 3 && said%16 != 15 {
			continue // many in one write: the more work for each
		}
		if _, err := p.buffer.WriteTo(p.conn); err != nil {
			return
		}
	}
}
