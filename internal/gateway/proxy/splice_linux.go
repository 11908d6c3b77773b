package proxy

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipe is what request bodies go through that the kernel moves from the client's connection to the app's.
type pipe struct {
	ends [2]int // read, write
	from syscall.RawConn
	to   syscall.RawConn
	body restBody
	full int // bytes in it
}

// restBody is a request body of which what has not come yet can be taken from the connection itself.
type restBody interface {
	Rest() (from syscall.RawConn, size int64) // nil if it cannot
	Took(n int64)
}

// pipeSize is what a pipe holds, in bytes. More made uploads no faster.
const pipeSize = 256 << 10

// pipe returns what moves the rest of the request body, nil if copying it has to do.
func (e *exchange) pipe() *pipe {
	body, ok := e.r.Body.(restBody)
	to, isFile := e.conn.Conn.(syscall.Conn)
	if !ok || !isFile {
		return nil
	}
	p := &pipe{body: body}
	var err error
	if p.to, err = to.SyscallConn(); err != nil {
		return nil
	}
	if p.from, _ = body.Rest(); p.from == nil {
		return nil
	}
	if int(e.h.splices.Add(1)) > e.h.limits.Splices || unix.Pipe2(p.ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		e.h.splices.Add(-1)
		return nil
	}
	_, _ = unix.FcntlInt(uintptr(p.ends[0]), unix.F_SETPIPE_SZ, pipeSize) // what is allowed has to do
	return p
}

func (p *pipe) close(e *exchange) {
	_ = unix.Close(p.ends[0])
	_ = unix.Close(p.ends[1])
	e.h.splices.Add(-1)
}

// splice sends what is left of the body without copying it through this process.
func (s *sender) splice(e *exchange, p *pipe) error {
	defer p.close(e)
	for s.left > 0 {
		n, err := s.paced(e, func([]byte) (int, error) { return p.fill(s.left) }, nil)
		s.left -= int64(n)
		s.read.Store(s.left == 0)
		if n > 0 {
			if werr := s.give(e, p.drain); werr != nil {
				return werr
			}
		}
		if err != nil && s.left > 0 {
			return s.clientFailed(err)
		}
	}
	return nil
}

const spliceFlags = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK

// fill takes from the client what has come, up to most bytes, and waits for something.
func (p *pipe) fill(most int64) (n int, err error) {
	waitErr := p.from.Read(func(fd uintptr) bool {
		n, err = move(int(fd), p.ends[1], int(min(most, pipeSize)))
		return !errors.Is(err, unix.EAGAIN)
	})
	if waitErr != nil {
		return 0, waitErr
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	p.full = n
	p.body.Took(int64(n))
	return n, nil
}

// drain sends to the app what the pipe has, until the write deadline is over.
func (p *pipe) drain() (n int, all bool, err error) {
	waitErr := p.to.Write(func(fd uintptr) bool {
		for p.full > 0 && err == nil {
			var moved int
			if moved, err = move(p.ends[0], int(fd), p.full); err == nil {
				p.full -= moved
				n += moved
			}
		}
		again := errors.Is(err, unix.EAGAIN)
		if again {
			err = nil
		}
		return !again
	})
	if waitErr != nil {
		err = waitErr
	}
	return n, p.full == 0, err
}

// move is splice(2).
func move(from, to, most int) (int, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, most, spliceFlags)
		if !errors.Is(err, unix.EINTR) {
			return max(0, int(n)), err
		}
	}
}
