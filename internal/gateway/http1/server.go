// Package http1 serves the usual requests of HTTP/1.1 clients, over TCP or TLS: a head that is whole and plain, with no body or one of which
// it says the length. Whatever else a connection brings, be it legal, odd or broken, it leaves to somebody else, net/http, from the first byte of that
// request on. So it decides nothing about what is malformed, and answers no such request. Towards handlers and clients it does what net/http's
// server does, for less: no goroutine reads beside the handler to notice that the client left, the kernel says so.
package http1

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Server needs. State, Context and Log may be nil; the times may not be 0.
type Config struct {
	Handler  http.Handler  // its requests cannot be hijacked
	HeadTime time.Duration // for a head, from the connection's start or the head's first byte on
	IdleTime time.Duration // between two requests, at least; up to a sixteenth more
	State    func(net.Conn, http.ConnState)
	Context  func(context.Context, net.Conn) context.Context
	Log      *slog.Logger
}

// Server serves connections that it is given. Make one with New.
type Server struct {
	Config
	hangups  *hangups
	draining atomic.Bool // each answer is the last of its connection

	mu    sync.Mutex
	conns map[*conn]struct{}

	writers sync.Pool // of *bufio.Writer, outBuffer large
	held    sync.Pool // of *bufio.Writer, holdBuffer large
}

// New returns a Server, or an error if this system does not tell that a client left. Close is to be called.
func New(config Config) (*Server, error) {
	h, err := newHangups()
	if err != nil {
		return nil, fmt.Errorf("watch for clients that leave: %w", err)
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{Config: config, hangups: h, conns: map[*conn]struct{}{}}, nil
}

// Serve serves a connection until it is closed, or comes to a request that is not for this server. Then it is theirs: the connection is
// open, nothing of that request was answered, and its bytes that were read are unread. The state of a connection that is theirs is new or
// idle; it is not said to be closed.
func (s *Server) Serve(nc net.Conn) (unread []byte, theirs bool) {
	c := s.newConn(nc)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	s.state(nc, http.StateNew)
	theirs = !c.watched() || c.serve()
	s.hangups.remove(c)
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	if theirs {
		return c.buf[c.start:c.end:c.end], true
	}
	_ = nc.Close()
	s.state(nc, http.StateClosed)
	return nil, false
}

func (s *Server) state(c net.Conn, state http.ConnState) {
	if s.State != nil {
		s.State(c, state)
	}
}

// Drain makes each answer the last of its connection and closes the connections that have no request in work; new ones after some time
// only. It reports whether none is left.
func (s *Server) Drain() bool {
	s.draining.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.phase.CompareAndSwap(idle, closed) || time.Since(c.made) > newTime && c.phase.CompareAndSwap(fresh, closed) {
			_ = c.Close()
		}
	}
	return len(s.conns) == 0
}

// newTime is how long a connection may be there without a request before Drain takes it for idle.
const newTime = 5 * time.Second

// Shutdown drains and waits until no connection is left, or ctx ends. Their listeners are to be closed before.
func (s *Server) Shutdown(ctx context.Context) error {
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for !s.Drain() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

const drainLook = 5 * time.Millisecond

// Close closes all connections, whatever they are at.
func (s *Server) Close() {
	s.draining.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.hangups.close()
}
