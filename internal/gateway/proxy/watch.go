package proxy

import (
	"context"
	"net"
	"sync"
	"time"
)

// watch closes the connection to the app when the client goes away. TCP cannot tell a client that is gone from one that has
// merely said all it had to say; most answers are there within Limits.HangUp, and an app whose client left learns it soon
// enough.
type watch struct {
	stop func() bool
	w    *watched
}

type watched struct {
	mu   sync.Mutex
	conn net.Conn      // nil once the response is complete
	over chan struct{} // closed then
	gone bool          // the client went away, and conn was closed for it
}

func (w *watch) begin(e *exchange) {
	w.end()
	state := &watched{conn: e.conn.Conn}
	w.w = state
	grace := e.h.limits.HangUp
	if e.r.ProtoMajor != 1 {
		grace = 0 // a reset stream is no half-closed one
	}
	w.stop = context.AfterFunc(e.r.Context(), func() { state.hangUp(grace) })
}

func (s *watched) hangUp(grace time.Duration) {
	s.mu.Lock()
	if s.conn == nil {
		s.mu.Unlock()
		return
	}
	over := make(chan struct{})
	s.over = over
	s.mu.Unlock()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
		s.mu.Lock()
		if s.conn != nil {
			s.gone = true
			_ = s.conn.Close()
		}
		s.mu.Unlock()
	}
}

// end stops watching. After it the connection is not touched any more.
func (w *watch) end() {
	if w.stop == nil {
		return
	}
	if !w.stop() {
		w.w.mu.Lock()
		w.w.conn = nil
		if w.w.over != nil {
			close(w.w.over)
		}
		w.w.mu.Unlock()
	}
	w.stop, w.w = nil, nil
}

// fired reports whether the connection to the app was closed because the client went away.
func (w *watch) fired() bool {
	if w.w == nil {
		return false
	}
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	return w.w.gone
}
