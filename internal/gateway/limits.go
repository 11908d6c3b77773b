package gateway

import (
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// Limits bound what clients and apps may do. Zero fields take the defaults of DefaultLimits.
type Limits struct {
	HeaderTime  time.Duration // for a client to send a request's head, and for a TLS handshake
	IdleTime    time.Duration // between two requests of a connection
	HeaderBytes int           // of a request's head; beyond it the answer is 431
	Streams     int           // requests of an HTTP/2 connection at once; four times as many reset ones end the connection
	// Conns is how many connections there may be in all, Waiting how many of them without a request in work: kept ones and
	// those whose head has not come. When there are so many, a new one takes the place of those that have waited for
	// longest; it is refused if there are none.
	Conns, Waiting int
	// ClientConns is how many connections one address may have (a /64 of IPv6); more are refused. See Config.Uncapped.
	ClientConns int
	// SlowReaders is how many clients at once may take nothing of the response that lies ready for them; beyond, those
	// that have taken nothing for longest are cut. Linux only.
	SlowReaders int
	// Talk is how many HTTP/2 frames a second of a connection may be of the kind that only keeps the server busy (pings,
	// settings, resets); beyond, it is listened to slowly.
	Talk  int
	Proxy proxy.Limits
}

const (
	mostConns   = 16384
	mostWaiting = 7000 // some 130 MB
	usualFiles  = 1024 // open files of a process, where it cannot be asked
)

// DefaultLimits returns the limits that apply unless others are given. Of the files that this process may have open, most
// are for clients; the rest is for their connections to apps.
func DefaultLimits() Limits {
	conns := max(64, min(mostConns, fileLimit()*5/8))
	return Limits{
		HeaderTime: 10 * time.Second, IdleTime: 3 * time.Minute, HeaderBytes: 32 << 10, Streams: 250,
		Conns: conns, Waiting: min(mostWaiting, conns), ClientConns: min(1024, conns/2), SlowReaders: min(700, conns/4),
		Talk: 200, Proxy: proxy.DefaultLimits(),
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ value, otherwise *time.Duration }{{&l.HeaderTime, &d.HeaderTime}, {&l.IdleTime, &d.IdleTime}} {
		if *f.value == 0 {
			*f.value = *f.otherwise
		}
	}
	for _, f := range []struct{ value, otherwise *int }{
		{&l.HeaderBytes, &d.HeaderBytes},
		{&l.Streams, &d.Streams},
		{&l.Conns, &d.Conns},
		{&l.Waiting, &d.Waiting},
		{&l.ClientConns, &d.ClientConns},
		{&l.SlowReaders, &d.SlowReaders},
		{&l.Talk, &d.Talk},
	} {
		if *f.value == 0 {
			*f.value = *f.otherwise
		}
	}
	l.Proxy = l.Proxy.OrDefault()
	return l
}
