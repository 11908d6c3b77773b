package client

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/term"

	"github.com/aloft-run/aloft/internal/api"
)

// sizeEvery is how often the size of the terminal is looked at. A signal would tell sooner, but signals are the program's.
const sizeEvery = 250 * time.Millisecond

// terminal makes the user's terminal the input and output, and describes it; nil if there is none.
func (s *session) terminal() *api.RunTerminal {
	t := s.input.Terminal
	if t == nil {
		return nil
	}
	s.input.Stdin = t.File
	if s.input.Stdout == nil {
		s.input.Stdout = t.File
	}
	s.size = s.now()
	return &api.RunTerminal{Type: t.Type, Size: s.size}
}

// now returns the terminal's size, zero if it has none.
func (s *session) now() api.RunSize {
	cols, rows, err := term.GetSize(int(s.input.Terminal.File.Fd()))
	if err != nil || cols < 0 || rows < 0 {
		return api.RunSize{}
	}
	return api.RunSize{Rows: uint16(rows), Cols: uint16(cols)}
}

// watchSize tells the server when the terminal's size changes, until ctx ends.
func (s *session) watchSize(ctx context.Context) {
	ticker := time.NewTicker(sizeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if size := s.now(); size != s.size {
			s.size = size
			if control, err := json.Marshal(api.RunControl{Size: &size}); err == nil {
				_ = s.conn.Write(ctx, websocket.MessageText, control) // fails only if the server is gone
			}
		}
	}
}
