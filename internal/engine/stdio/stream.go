package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

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
	chunk   []byte // what is read goes through
	buf     []byte
	dropped int
	eof     bool
	taken   int64 // bytes that ever were put into buf
	handed  int64 // of these, given to the Writer
	passed  int64 // of these, written

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
	pace := rate.NewLimiter(maxRate, maxRate/4)
	for {
		n, err := s.wait()
		_ = pace.WaitN(context.Background(), n)
		if err != nil {
			return
		}
	}
}

// wait takes some output when there is any, and returns how much. The error says that there will be no more.
func (s *stream) wait() (n int, err error) {
	raw, closed := s.from.SyscallConn()
	if closed == nil {
		closed = raw.Read(func(fd uintptr) bool {
			n, err = s.pull(fd)
			return !errors.Is(err, syscall.EAGAIN)
		})
	}
	if closed != nil {
		s.end()
		return 0, closed
	}
	return n, err
}

// pull takes output that is in the pipe. It does not wait for any. Whoever calls it does so under the lock of the stream, so
// that at no time there is output that was read but not taken.
func (s *stream) pull(fd uintptr) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.lossless && len(s.buf) > maxBehind {
		s.changed.Wait()
	}
	if s.chunk == nil {
		s.chunk = make([]byte, readSize)
	}
	for {
		n, err = syscall.Read(int(fd), s.chunk)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return 0, err
	case n <= 0:
		s.eof = true
		s.changed.Broadcast()
		return 0, errors.Join(io.EOF, err)
	case len(s.buf)+n > maxBehind && !s.lossless:
		s.dropped += n
	default:
		s.buf = append(s.buf, s.chunk[:n]...)
		s.taken += int64(n)
	}
	s.changed.Broadcast()
	return n, nil
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eof = true
	s.changed.Broadcast()
}

// settle returns when what is in the pipe now was written, or when the time is over.
func (s *stream) settle(limit time.Duration) {
	raw, err := s.from.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // after the end there is nothing to wait for
		for range maxBehind / readSize { // a pipe holds no more, and who prints without end is not waited for
			if _, err := s.pull(fd); err != nil {
				return
			}
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	target, late := s.taken, false
	if s.passed >= target {
		return
	}
	timer := time.AfterFunc(limit, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	for s.passed < target && !late {
		s.changed.Wait()
	}
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
	if s.passed = s.handed; len(old) > 0 {
		s.changed.Broadcast()
	}
	for len(s.buf) == 0 && s.dropped == 0 && !s.eof {
		s.changed.Wait()
	}
	b, s.handed = s.buf, s.taken
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
