package api

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"

	"github.com/aloft-run/aloft"
)

// lastOutput bounds the wait for what a command has left in its terminal when it ends.
const lastOutput = time.Second

// streams connect a command with its client.
type streams struct {
	run    aloft.RunInput // what the command reads and writes
	input  io.WriteCloser // takes what the client sends
	resize func(RunSize)
	end    func() // to be called when the command has ended: sends the rest of its output and unblocks input
}

// open makes a command's streams: a terminal of its own if the client has one, else pipes.
func (s *session) open(ctx context.Context, terminal *RunTerminal) (streams, error) {
	if terminal != nil {
		return s.openTerminal(ctx, *terminal)
	}
	r, w := io.Pipe()
	return streams{
		run:    aloft.RunInput{Stdin: r, Stdout: s.output(ctx, RunStdout), Stderr: s.output(ctx, RunStderr)},
		input:  w,
		resize: func(RunSize) {},
		end:    func() { _ = r.Close() },
	}, nil
}

func (s *session) openTerminal(ctx context.Context, terminal RunTerminal) (streams, error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return streams{}, fmt.Errorf("open a terminal for the command: %w", err)
	}
	resize := func(size RunSize) { _ = pty.Setsize(ours, &pty.Winsize{Rows: size.Rows, Cols: size.Cols}) } // it is only for looks
	resize(terminal.Size)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		_, _ = io.Copy(s.output(ctx, RunStdout), ours) // ends with an error once nobody has the other side open
	}()
	var once sync.Once
	return streams{
		// A Runner that knows no terminals uses it as any file.
		run: aloft.RunInput{
			Stdin: theirs, Stdout: theirs, Stderr: theirs, Terminal: &aloft.Terminal{File: theirs, Type: terminal.Type},
		},
		input:  typed{ours},
		resize: resize,
		end: func() {
			once.Do(func() {
				_ = theirs.Close()
				select {
				case <-shown:
				case <-time.After(lastOutput):
				}
				_ = ours.Close()
			})
		},
	}, nil
}

// typed is input to a terminal: it ends with the character that ends it there.
type typed struct{ *os.File }

// Close types Ctrl-D. The terminal stays open for output.
func (t typed) Close() error {
	_, err := t.Write([]byte{4})
	return err
}
