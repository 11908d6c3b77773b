package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// talk follows the HTTP/2 frames of a client and says how long to wait before it is listened to again. Requests and their
// bodies cost nothing; what only keeps the server busy (pings, settings, resets, frames that say nothing) has a budget. A
// client that uses it up is not sent away, or it would come again and cost a handshake each time: it is listened to slowly.
type talk struct {
	have   int // bytes of head
	head   [9]byte
	left   int // bytes of payload, or of the preface, to come
	budget float64
	rate   float64   // of the budget, a second
	at     time.Time // when the budget was filled last
}

// talkBurst is the whole budget, in seconds of its rate: a browser that leaves a page resets all its streams at once.
const talkBurst = 5

func newTalk(now time.Time, rate int) talk {
	return talk{left: len(http2.ClientPreface), budget: talkBurst * float64(rate), rate: float64(rate), at: now}
}

// hear takes what was read and returns how long to wait before more is read.
func (t *talk) hear(p []byte, now time.Time) time.Duration {
	t.budget = min(talkBurst*t.rate, t.budget+t.rate*now.Sub(t.at).Seconds())
	t.at = now
	for len(p) > 0 {
		if t.left > 0 {
			n := min(t.left, len(p))
			t.left -= n
			p = p[n:]
			continue
		}
		n := copy(t.head[t.have:], p)
		t.have += n
		p = p[n:]
		if t.have == len(t.head) {
			t.have = 0
			t.left = int(t.head[0])<<16 | int(t.head[1])<<8 | int(t.head[2])
			t.budget -= t.price()
		}
	}
	if t.budget >= 0 {
		return 0
	}
	return time.Duration(-t.budget / t.rate * float64(time.Second))
}

// price is what the frame costs whose head was read. Fast downloads need a window update every few kilobytes, and streams
// of small messages are made of small DATA frames.
func (t *talk) price() float64 {
	const few, some = 1.0 / 64, 1
	ends := t.head[4]&byte(http2.FlagDataEndStream) != 0
	switch http2.FrameType(t.head[3]) {
	case http2.FrameHeaders:
		return 0
	case http2.FrameWindowUpdate:
		return few
	case http2.FrameData:
		switch {
		case t.left == 0 && !ends:
			return some
		case t.left < 64:
			return few
		}
		return 0
	default:
		return some
	}
}

// talkConn listens to its client as talk says.
type talkConn struct {
	*tls.Conn
	talk talk
}

func (c *talkConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if pause := c.talk.hear(p[:n], time.Now()); pause > 0 {
		<-time.After(pause)
	}
	return n, err
}

// serveHTTP2 makes the server take HTTP/2 connections over talk at a rate. The standard library's own HTTP/2 takes nothing but a
// *tls.Conn, so it is the same code from golang.org/x/net that serves.
//
//nolint:staticcheck // SA1019: what is to be used instead cannot be given a connection
func serveHTTP2(s *http.Server, rate int) error {
	h2 := new(http2.Server)
	if err := http2.ConfigureServer(s, h2); err != nil { // its shutdown and its limits, which are those of s.HTTP2
		return fmt.Errorf("set up HTTP/2: %w", err)
	}
	s.TLSNextProto[http2.NextProtoTLS] = func(s *http.Server, conn *tls.Conn, h http.Handler) {
		ctx := context.Background()
		if based, ok := h.(interface{ BaseContext() context.Context }); ok {
			ctx = based.BaseContext()
		}
		h2.ServeConn(&talkConn{Conn: conn, talk: newTalk(time.Now(), rate)}, &http2.ServeConnOpts{Context: ctx, Handler: h, BaseConfig: s})
	}
	return nil
}
