package stdio

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/time/rate"
)

const (
	readSize  = 16 << 10 // bytes read from a pipe at once; two such buffers live as long as a process
	keepSize  = 64 << 10 // largest buffer kept between writes
	maxBehind = 1 << 20  // bytes a Writer may be behind before output is dropped or, lossless, waits
	maxRate   = 64 << 20 // bytes read a second: more would take the processor from others, so the process waits a moment
)

// stream carries output from a process to a Writer. Reading and writing go on apart, so that a Writer that blocks does
// not block the process.
type stream struct {
	from     *os.File
	to       io.Writer
	lossless bool

	mu      sync.Mutex
	changed sync.Cond
	buf     []byte
	dropped int
	eof     bool

	read, written chan struct{} // closed when reading, writing has ended
}

func newStream(from *os.File, to io.Writer, lossless bool) *stream {
	s := &stream{from: from, to: to, lossless: lossless, read: make(chan struct{}), written: make(chan struct{})}
	s.changed.L = &s.mu
	return s
}

func (s *stream) start() {
	go s.readAll()
	go s.writeAll()
}

func (s *stream) readAll() {
	defer close(s.read)
	chunk := make([]byte, readSize)
	pace := rate.NewLimiter(maxRate, maxRate/4)
	for {
		n, err := s.from.Read(chunk)
		_ = pace.WaitN(context.Background(), n)
		s.take(chunk[:n], err != nil)
		if err != nil {
			return
		}
	}
}

func (s *stream) take(b []byte, eof bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.lossless && len(s.buf) > maxBehind {
		s.changed.Wait()
	}
	if len(s.buf)+len(b) > maxBehind && !s.lossless {
		s.dropped += len(b)
	} else {
		s.buf = append(s.buf, b...)
	}
	s.eof = eof
	s.changed.Broadcast()
}

func (s *stream) writeAll() {
	defer close(s.written)
	var b []byte
	for {
		var more bool
		if b, more = s.next(b); !more {
			return
		}
		if _, err := s.to.Write(b); err != nil {
			s.to = io.Discard // the process must not notice
		}
	}
}

// next swaps the buffer that was written for the one that was filled meanwhile.
func (s *stream) next(old []byte) (b []byte, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 && s.dropped == 0 && !s.eof {
		s.changed.Wait()
	}
	b = s.buf
	if s.dropped > 0 {
		b = fmt.Appendf(b, "\n[%d bytes of output dropped: it came faster than it could be kept]\n", s.dropped)
		s.dropped = 0
	}
	if cap(old) > keepSize {
		old = nil
	}
	s.buf = old[:0]
	s.changed.Broadcast()
	return b, len(b) > 0
}

// finish waits until all is written, for the deadline at most unless the stream is lossless.
func (s *stream) finish(deadline <-chan struct{}) {
	select {
	case <-s.read:
	case <-deadline:
		_ = s.from.Close() // ends Read
		if s.lossless {
			break
		}
		return
	}
	if s.lossless {
		<-s.written
	} else {
		select {
		case <-s.written:
		case <-deadline:
		}
	}
	_ = s.from.Close()
}
