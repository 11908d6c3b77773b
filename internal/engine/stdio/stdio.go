// Package stdio carries the input and output of a sandbox's command between its descriptors and the Readers and Writers of
// an engine.Spec. Output is always drained, whatever becomes of the Writers.
package stdio

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// drainTime is how long descendants that cannot be found may keep the output open.
const drainTime = time.Second

// Pipes are the two ends of a command's input and output.
type Pipes struct {
	// Theirs are the command's descriptors 0, 1 and 2. CloseTheirs must be called once it has them.
	Theirs  [3]*os.File
	made    []*os.File // those of Theirs that are ours to close
	streams []*stream
	stdin   io.Closer // our end of the pipe, if there is one
}

// Open makes what spec asks for. Nothing flows before Start. After an error nothing is left open.
func Open(spec engine.Spec) (*Pipes, error) {
	p := &Pipes{}
	if spec.Terminal != nil {
		p.Theirs = [3]*os.File{spec.Terminal, spec.Terminal, spec.Terminal}
		return p, nil
	}
	err := p.input(spec.Stdin)
	for i, to := range []io.Writer{spec.Stdout, spec.Stderr} {
		if err == nil {
			err = p.output(i+1, to, spec.Lossless)
		}
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	return p, nil
}

func (p *Pipes) input(from io.Reader) error {
	switch in := from.(type) {
	case nil:
		return p.null(0)
	case *os.File:
		p.Theirs[0] = in
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	p.Theirs[0], p.made, p.stdin = r, append(p.made, r), w
	go func() {
		_, _ = io.Copy(w, from) // ends with the process: then the pipe is broken
		_ = w.Close()
	}()
	return nil
}

func (p *Pipes) output(fd int, to io.Writer, lossless bool) error {
	if to == nil {
		return p.null(fd)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	p.Theirs[fd], p.made = w, append(p.made, w)
	p.streams = append(p.streams, newStream(r, to, lossless))
	return nil
}

func (p *Pipes) null(fd int) error {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	p.Theirs[fd], p.made = f, append(p.made, f)
	return nil
}

// Start lets output flow. It is called once the command exists.
func (p *Pipes) Start() {
	p.CloseTheirs()
	for _, s := range p.streams {
		s.start()
	}
}

// CloseTheirs closes our copies of the command's descriptors.
func (p *Pipes) CloseTheirs() {
	for _, f := range p.made {
		_ = f.Close()
	}
	p.made = nil
}

// settleTime is how long a Writer that is behind is waited for.
const settleTime = 100 * time.Millisecond

// Settle implements engine.Settler for the sandboxes that have the pipes.
func (p *Pipes) Settle() {
	for _, s := range p.streams {
		s.settle(settleTime)
	}
}

// Finish drains what the command left in the pipes after its end, and closes them.
func (p *Pipes) Finish() {
	if p.stdin != nil {
		_ = p.stdin.Close()
	}
	deadline := make(chan struct{})
	timer := time.AfterFunc(drainTime, func() { close(deadline) })
	defer timer.Stop()
	for _, s := range p.streams {
		s.finish(deadline)
	}
}

// Close closes the pipes of a command that never was.
func (p *Pipes) Close() {
	p.CloseTheirs()
	if p.stdin != nil {
		_ = p.stdin.Close()
	}
	for _, s := range p.streams {
		_ = s.from.Close()
	}
}
