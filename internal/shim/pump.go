package shim

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
)

// pump passes on what the server writes to one of its streams. What is written before a response is to be out before the reply is:
// then the environment is frozen.
type pump struct {
	to   *output
	from *os.File
	raw  syscall.RawConn
	done chan struct{} // closed at the end of the stream

	mu  sync.Mutex // so that what is read first is written first
	buf [32 << 10]byte
}

// newPump returns a pump and the end of its pipe that is the server's, to be closed once that has it.
func newPump(to *output) (p *pump, server *os.File, err error) {
	from, server, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	p = &pump{to: to, from: from, done: make(chan struct{})}
	if p.raw, err = from.SyscallConn(); err != nil {
		_, _ = from.Close(), server.Close()
	}
	return p, server, err
}

// run works until the stream ends or is closed.
func (p *pump) run() {
	defer close(p.done)
	for {
		ended := false
		err := p.raw.Read(func(fd uintptr) bool {
			n, err := p.take(int(fd))
			ended = n <= 0 && !errors.Is(err, syscall.EAGAIN)
			return n > 0 || ended
		})
		if err != nil || ended {
			return
		}
	}
}

// take passes on what there is, without waiting for more.
func (p *pump) take(fd int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		n, err := syscall.Read(fd, p.buf[:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n > 0 {
			_, _ = p.to.Write(p.buf[:n]) // nobody is left to tell
		}
		return n, err
	}
}

// drain passes on all that was written before.
func (p *pump) drain() {
	_ = p.raw.Control(func(fd uintptr) { // fails if it is closed
		for {
			if n, _ := p.take(int(fd)); n < len(p.buf) {
				return
			}
		}
	})
}

// end waits for the end of the stream, which what the server left behind may keep open, and gives it up after a while.
func (p *pump) end(until context.Context) {
	select {
	case <-p.done:
	case <-until.Done():
	}
	_ = p.from.Close()
	<-p.done
}
