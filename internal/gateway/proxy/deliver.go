package proxy

import (
	"errors"
	"os"
	"time"
)

var (
	errLeft   = errors.New("the client left before the app had its request")
	errUnread = errors.New("the app does not read the request")
)

// deliver writes a piece of the body to the app. While the app takes nothing of it the server does not read from the
// client either, and would not learn that it left: so we look. An app that has not begun to answer must take something
// within the stall time.
func (s *sender) deliver(e *exchange, p []byte) error {
	return s.give(e, func() (int, bool, error) {
		n, err := e.conn.Write(p)
		p = p[n:]
		return n, len(p) == 0, err
	})
}

// give is deliver for any way to write: write is called until it says that all is written, or fails.
func (s *sender) give(e *exchange, write func() (n int, all bool, err error)) error {
	for moved := time.Now(); ; {
		_ = e.conn.SetWriteDeadline(time.Now().Add(e.h.limits.HangUp))
		n, all, err := write()
		switch {
		case all || !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case n > 0:
			moved = time.Now()
		case s.peer != nil && s.peer.Left():
			return s.clientFailed(errLeft)
		case !s.heard.Load() && time.Since(moved) > e.h.limits.Stall:
			s.unread.Store(true)
			return errUnread
		}
	}
}
