package gateway

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// guest is the connection of a client, known to the crowd until it is closed.
type guest struct {
	*net.TCPConn
	crowd   *crowd
	address netip.Addr   // what it counts for; not valid: none
	waiting atomic.Int64 // since when it has no request in work (Unix nanoseconds); 0: it has one
	gone    atomic.Bool
	counted bool // as open
	pace    pace // sweep's
	raw     syscall.RawConn
	room    func(uintptr) bool // roomFor, which would be allocated each time
}

var _ proxy.Client = (*guest)(nil)

// begin notes that there is a request in work, and wait that there is none.
func (g *guest) begin() {
	if g.waiting.Swap(0) != 0 {
		g.crowd.waiting.Add(-1)
	}
}

func (g *guest) wait(now time.Time) {
	if g.waiting.Swap(now.UnixNano()) == 0 {
		g.crowd.waiting.Add(1)
	}
	if g.gone.Load() { // it left meanwhile
		g.begin()
	}
}

// Close closes the connection and leaves the crowd.
func (g *guest) Close() error {
	if g.gone.CompareAndSwap(false, true) {
		g.crowd.leave(g)
	}
	return g.TCPConn.Close()
}

// reset closes the connection at once: what the client did not take is dropped, and the kernel's memory is free.
func (g *guest) reset() {
	_ = g.SetLinger(0) // a connection that is gone already has nothing to drop
	_ = g.Close()
}

// Room reports whether the client takes more of what is sent.
func (g *guest) Room() bool {
	room := true
	_ = g.raw.Control(func(fd uintptr) { room = roomFor(fd) }) // what is wrong, the write says
	return room
}

// AwaitRoom waits until it does, or the write deadline is over.
func (g *guest) AwaitRoom() error { return g.raw.Write(g.room) }

// Left reports whether the client has closed its side.
func (g *guest) Left() bool { return hungUp(g.raw) }

// guestOf returns the guest that a server's connection belongs to, nil if it has none.
func guestOf(conn net.Conn) *guest {
	switch c := conn.(type) {
	case *guest:
		return c
	case *strictConn:
		return c.guest
	case *strictTLSConn:
		return guestOf(c.Conn)
	case *clearConn:
		return c.guest
	case *talkConn:
		return guestOf(c.Conn)
	case *tls.Conn:
		g, _ := c.NetConn().(*guest)
		return g
	}
	return nil
}

// pace is what sweep knows of how fast a client takes what it asked for.
type pace struct {
	taken   uint64    // bytes, when it was looked at last
	stalled time.Time // since when it has taken nothing though something lay ready; zero if it takes
	looks   int       // that found nothing taken, in a row
	mark    time.Time // since when something lay ready at every look; zero if it took all
	marked  uint64    // bytes taken by then
}

// note takes in what a look found and reports whether the client was slower than rate (bytes a second) for a whole time.
func (p *pace) note(now time.Time, taken uint64, ready bool, rate int, over time.Duration) (slow bool) {
	moved := taken != p.taken
	p.taken = taken
	switch {
	case !ready:
		*p = pace{taken: taken}
		return false
	case moved:
		p.stalled, p.looks = time.Time{}, 0
	case p.stalled.IsZero():
		p.stalled, p.looks = now, 1
	default:
		p.looks++
	}
	if p.mark.IsZero() {
		p.mark, p.marked = now, taken
	}
	passed := now.Sub(p.mark)
	if passed < over {
		return false
	}
	slow = float64(taken-p.marked) < float64(rate)*passed.Seconds()
	p.mark, p.marked = now, taken
	return slow
}
