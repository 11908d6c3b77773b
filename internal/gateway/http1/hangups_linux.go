package http1

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// hangups tells connections that their clients have closed their sides. One epoll instance has all of them, each put in once; a request
// costs nothing.
type hangups struct {
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{}

	mu    sync.Mutex
	last  uint64
	conns map[uint64]*conn // by number: the kernel may tell of a descriptor that is another connection's by now
}

func newHangups() (*hangups, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that Go waits for it as for a socket
		_ = unix.Close(fd)
		return nil, err
	}
	h := &hangups{epoll: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), conns: map[uint64]*conn{}}
	if h.raw, err = h.epoll.SyscallConn(); err != nil {
		return nil, err
	}
	go h.run()
	return h, nil
}

func (h *hangups) add(c *conn, raw syscall.RawConn) error {
	h.mu.Lock()
	h.last++
	c.id = h.last
	h.conns[c.id] = c
	h.mu.Unlock()
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET | unix.EPOLLONESHOT, Fd: int32(uint32(c.id)), Pad: int32(uint32(c.id >> 32))}
	var outer, inner, added error
	outer = h.raw.Control(func(epoll uintptr) {
		inner = raw.Control(func(fd uintptr) { added = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, int(fd), &event) })
	})
	return errors.Join(outer, inner, added)
}

func (h *hangups) remove(c *conn) {
	h.mu.Lock()
	delete(h.conns, c.id)
	h.mu.Unlock()
}

func (h *hangups) run() {
	defer close(h.done)
	var events [64]unix.EpollEvent
	for {
		n := 0
		err := h.raw.Read(func(epoll uintptr) bool {
			n = ready(int(epoll), events[:])
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			h.mu.Lock()
			c := h.conns[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]
			h.mu.Unlock()
			if c != nil {
				c.hungUp()
			}
		}
	}
}

func ready(epoll int, events []unix.EpollEvent) int {
	for {
		n, err := unix.EpollWait(epoll, events, 0)
		if !errors.Is(err, unix.EINTR) {
			return n
		}
	}
}

func (h *hangups) close() {
	_ = h.epoll.Close()
	<-h.done
}
