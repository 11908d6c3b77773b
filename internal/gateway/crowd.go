package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// crowd is the connections of all clients. It bounds how many there are, of one address and in all, and sends away those
// that keep others out: when the house is full, the ones that have waited for longest without a request in work; at any
// time, the ones that take next to nothing of what they asked for. Nobody pays for that on the way of a request: the kernel
// counts what clients take, and sweep looks.
type crowd struct {
	limits   Limits
	uncapped []netip.Prefix // addresses behind which are many clients
	log      *slog.Logger
	waiting  atomic.Int64 // guests without a request in work

	mu      sync.Mutex
	guests  map[*guest]struct{}
	from    map[netip.Addr]int // connections by address; IPv6 by /64, which is what one client has
	sweeper *time.Timer        // nil while nobody is there
	told    time.Time          // when the log was last told that somebody was sent away
}

func newCrowd(limits Limits, uncapped []netip.Prefix, log *slog.Logger) *crowd {
	return &crowd{limits: limits, uncapped: uncapped, log: log, guests: map[*guest]struct{}{}, from: map[netip.Addr]int{}}
}

// admit takes a connection in, or closes it and returns nil.
func (c *crowd) admit(conn *net.TCPConn) *guest {
	raw, err := conn.SyscallConn()
	if err != nil { // it is closed already
		return nil
	}
	boundSocket(raw, c.limits.Proxy.Stall)
	now := time.Now()
	g := &guest{TCPConn: conn, crowd: c, address: c.address(conn), raw: raw, room: roomFor}
	g.waiting.Store(now.UnixNano())
	c.mu.Lock()
	reason, victims := c.obstacle(g)
	refused := reason != "" && len(victims) == 0
	if !refused {
		c.enter(g)
	}
	tell := reason != "" && now.Sub(c.told) > tellEvery
	if tell {
		c.told = now
	}
	c.mu.Unlock()
	if tell {
		c.log.Warn(reason, "client", conn.RemoteAddr().String(), "sent_away", max(1, len(victims)))
	}
	for _, v := range victims {
		_ = v.Close()
	}
	if refused {
		g.gone.Store(true) // it never was there
		g.reset()
		return nil
	}
	return g
}

// obstacle says why there is no place for a guest, "" if there is one, and who is to go for it; the lock is held.
func (c *crowd) obstacle(g *guest) (reason string, victims []*guest) {
	switch {
	case g.address.IsValid() && c.from[g.address] >= c.limits.ClientConns:
		return "one address has too many connections", nil
	case len(c.guests) >= c.limits.Conns, c.waiting.Load() >= int64(c.limits.Waiting):
		return "there are too many connections", c.idlest(max(1, min(c.limits.Conns, c.limits.Waiting)/16))
	}
	return "", nil
}

const tellEvery = time.Minute

// enter notes a guest; the lock is held.
func (c *crowd) enter(g *guest) {
	c.guests[g] = struct{}{}
	c.waiting.Add(1)
	if g.address.IsValid() {
		c.from[g.address]++
	}
	if c.sweeper == nil {
		c.sweeper = time.AfterFunc(sweepEvery, c.sweep)
	}
}

func (c *crowd) leave(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.guests, g)
	g.begin()
	if !g.address.IsValid() {
		return
	}
	if c.from[g.address]--; c.from[g.address] <= 0 {
		delete(c.from, g.address)
	}
}

// idlest returns up to n guests that have no request in work, the one that waits for longest first; the lock is held.
func (c *crowd) idlest(n int) []*guest {
	type waiter struct {
		guest *guest
		since int64
	}
	var all []waiter
	for g := range c.guests {
		if since := g.waiting.Load(); since != 0 && !g.gone.Load() {
			all = append(all, waiter{g, since})
		}
	}
	slices.SortFunc(all, func(a, b waiter) int { return cmp.Compare(a.since, b.since) })
	victims := make([]*guest, 0, min(n, len(all)))
	for _, w := range all[:min(n, len(all))] {
		victims = append(victims, w.guest)
	}
	return victims
}

// address is what a connection counts for; not valid if it counts for none.
func (c *crowd) address(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if slices.ContainsFunc(c.uncapped, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return netip.Addr{}
	}
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // fits any IPv6 address
		return prefix.Addr()
	}
	return addr
}

// stateChanged is the hook of http.Server.
func (c *crowd) stateChanged(conn net.Conn, state http.ConnState) {
	g := guestOf(conn)
	if g == nil {
		return
	}
	switch state {
	case http.StateActive:
		g.begin()
	case http.StateIdle:
		g.wait(time.Now())
	case http.StateNew, http.StateHijacked, http.StateClosed:
	}
}

// inContext is the hook of http.Server that gives requests what they need of their connection.
func (c *crowd) inContext(ctx context.Context, conn net.Conn) context.Context {
	if g := guestOf(conn); g != nil {
		return proxy.WithClient(ctx, g)
	}
	return ctx
}

// stop ends the looking.
func (c *crowd) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sweeper != nil {
		c.sweeper.Stop()
	}
}
