package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/aloft-run/aloft/bench/wire"
)

const h2Conns = 4

// h2 is one connection of HTTP/2. It is written for the purpose, because x/net's client costs more than the proxies do.
type h2 struct {
	out    *bufio.Writer
	in     *bufio.Reader
	framer *http2.Framer
	fields *hpack.Decoder
	block  []byte // the request's fields, none of which goes into the table: it is the same each time
	next   uint32 // stream
	open   map[uint32]time.Time
	bad    string // a status that is not 200
}

// streams keeps n requests in flight over one connection until the end.
func streams(addr string, n int, warm, end time.Time) (*wire.Times, error) {
	c, err := dial(addr, true, "h2")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	h := &h2{out: bufio.NewWriterSize(c, 16<<10), in: bufio.NewReaderSize(c, 64<<10), next: 1, open: map[uint32]time.Time{}}
	if err := h.greet(); err != nil {
		return nil, err
	}
	t := new(wire.Times)
	for len(h.open) < n {
		if err := h.ask(); err != nil {
			return nil, err
		}
	}
	for len(h.open) > 0 {
		if h.in.Buffered() == 0 {
			if err := h.out.Flush(); err != nil {
				return nil, err
			}
		}
		done, err := h.read()
		if err != nil {
			return nil, err
		}
		begin, ok := h.open[done]
		if !ok {
			continue
		}
		delete(h.open, done)
		t.Add(begin, warm)
		if time.Now().Before(end) {
			if err := h.ask(); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (h *h2) greet() error {
	h.framer = http2.NewFramer(h.out, h.in)
	h.framer.SetReuseFrames()
	h.fields = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if f.Name == ":status" && f.Value != "200" {
			h.bad = f.Value
		}
	})
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "GET"}, {":scheme", "https"}, {":authority", host}, {":path", "/"}, {"user-agent", "bench"}, {"accept", "*/*"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1], Sensitive: true})
	}
	h.block = block.Bytes()
	if _, err := io.WriteString(h.out, http2.ClientPreface); err != nil {
		return err
	}
	const window = 1 << 30
	if err := h.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window},
	); err != nil {
		return err
	}
	return h.framer.WriteWindowUpdate(0, window)
}

// ask sends a request on a new stream.
func (h *h2) ask() error {
	h.open[h.next] = time.Now()
	err := h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: h.next, BlockFragment: h.block, EndStream: true, EndHeaders: true})
	h.next += 2
	return err
}

// read reads a frame and returns the stream that ended with it, or 0.
func (h *h2) read() (uint32, error) {
	frame, err := h.framer.ReadFrame()
	if err != nil {
		return 0, err
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return 0, h.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return 0, h.framer.WritePing(true, f.Data)
		}
	case *http2.HeadersFrame:
		if _, err := h.fields.Write(f.HeaderBlockFragment()); err != nil {
			return 0, err
		}
		if h.bad != "" || !f.HeadersEnded() {
			return 0, fmt.Errorf("answer with status %q, head complete %v", h.bad, f.HeadersEnded())
		}
		if f.StreamEnded() {
			return f.StreamID, nil
		}
	case *http2.DataFrame:
		if f.StreamEnded() {
			return f.StreamID, nil
		}
	case *http2.RSTStreamFrame:
		return 0, fmt.Errorf("stream %d was reset: %s", f.StreamID, f.ErrCode)
	case *http2.GoAwayFrame:
		return 0, fmt.Errorf("the server goes away: %s", f.ErrCode)
	}
	return 0, nil
}
