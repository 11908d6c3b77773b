package upstream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxIdle = 512
	// idleLimit is shorter than the keep-alive time of every common server (gunicorn 2 s, Node and uvicorn 5 s), so that
	// the server hardly ever closes a connection in the moment a request is written to it. A new connection to an
	// instance costs some 30 µs: far less than a request that cannot be repeated.
	idleLimit = time.Second
)

// pool is the part of an Upstream that knows its connections.
type pool struct {
	conns   sync.Mutex
	free    []*Conn // idle, the longest idle first; taken from the end
	busy    []*Conn // carrying a request
	closed  bool    // draining: nothing is kept any more
	reaper  *time.Timer
	readers sync.Pool // of *bufio.Reader
}

// Kept returns a kept connection that is still good, the one used last first, or nil if there is none.
func (u *Upstream) Kept() *Conn {
	for {
		u.conns.Lock()
		n := len(u.free)
		if n == 0 {
			u.conns.Unlock()
			return nil
		}
		c := u.free[n-1]
		u.free[n-1] = nil
		u.free = u.free[:n-1]
		u.use(c)
		u.conns.Unlock()
		if c.quiet() {
			return c
		}
		c.Discard()
	}
}

// Fresh returns a new connection.
func (u *Upstream) Fresh(ctx context.Context) (*Conn, error) {
	conn, err := u.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to instance %s: %w", u.ID, err)
	}
	c := u.newConn(conn)
	u.conns.Lock()
	u.use(c)
	u.conns.Unlock()
	select {
	case <-u.cut: // Cut may have closed the others just before
		_ = conn.Close()
	default:
	}
	return c, nil
}

func (u *Upstream) use(c *Conn) {
	c.index = len(u.busy)
	u.busy = append(u.busy, c)
}

// forget reports whether c was busy until now.
func (u *Upstream) forget(c *Conn) bool {
	u.conns.Lock()
	defer u.conns.Unlock()
	return u.unuse(c)
}

func (u *Upstream) unuse(c *Conn) bool {
	if c.index >= len(u.busy) || u.busy[c.index] != c {
		return false
	}
	last := len(u.busy) - 1
	u.busy[c.index] = u.busy[last]
	u.busy[c.index].index = c.index
	u.busy[last] = nil
	u.busy = u.busy[:last]
	return true
}

func (u *Upstream) keep(c *Conn) {
	u.conns.Lock()
	if u.closed || len(u.free) >= maxIdle {
		u.conns.Unlock()
		c.Discard()
		return
	}
	defer u.conns.Unlock()
	if !u.unuse(c) { // detached or discarded: not ours any more
		return
	}
	u.free = append(u.free, c)
	if u.reaper == nil {
		u.reaper = time.AfterFunc(idleLimit, u.reap)
	}
}

// reap closes what has been idle for long and comes again while something is kept.
func (u *Upstream) reap() {
	u.conns.Lock()
	limit := time.Now().Add(-idleLimit)
	n := 0
	for n < len(u.free) && !u.free[n].since.After(limit) {
		n++
	}
	old := slices.Clone(u.free[:n])
	u.free = slices.Delete(u.free, 0, n)
	u.reaper = nil
	if len(u.free) > 0 {
		u.reaper = time.AfterFunc(u.free[0].since.Sub(limit), u.reap)
	}
	u.conns.Unlock()
	closeAll(old)
}

// stopKeeping closes the idle connections and keeps no more.
func (u *Upstream) stopKeeping() {
	u.conns.Lock()
	u.closed = true
	u.conns.Unlock()
	u.dropKept()
}

// dropKept closes the idle connections.
func (u *Upstream) dropKept() {
	u.conns.Lock()
	old := u.free
	u.free = nil
	if u.reaper != nil {
		u.reaper.Stop()
		u.reaper = nil
	}
	u.conns.Unlock()
	closeAll(old)
}

// closeBusy ends the requests in flight. Their handlers see the connection fail and give it back.
func (u *Upstream) closeBusy() {
	u.conns.Lock()
	busy := slices.Clone(u.busy)
	u.conns.Unlock()
	closeAll(busy)
}

func closeAll(conns []*Conn) {
	for _, c := range conns {
		_ = c.Conn.Close()
	}
}
