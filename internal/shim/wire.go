package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// wire is a connection on which reads and writes block their thread: an environment that takes one invocation at a time waits
// for one process after the other, and the way through Go's poller costs it two more switches for each. It has no deadlines: who
// waits no longer closes it.
type wire struct {
	net.Conn // what addresses are asked of; closed

	file   *os.File
	closed atomic.Bool
}

// dial connects to an address, with a connection that blocks or not.
func dial(ctx context.Context, addr net.Addr, blocks bool) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // who is frozen keeps nothing alive
	conn, err := d.DialContext(ctx, addr.Network(), addr.String())
	if err != nil {
		return nil, err
	}
	if !blocks {
		return conn, nil
	}
	defer func() { _ = conn.Close() }()
	w, err := newWire(conn)
	if err != nil {
		return nil, err // and no connection that is nil in it
	}
	return w, nil
}

// newWire makes a wire of a connection, which is the caller's to close: a descriptor leaves the poller that way only.
func newWire(conn net.Conn) (*wire, error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%T has no descriptor", conn)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	var problem error
	err = raw.Control(func(fd uintptr) {
		var own int
		if own, problem = duplicate(int(fd)); problem == nil {
			w.file = os.NewFile(uintptr(own), "connection")
		}
	})
	return w, errors.Join(err, problem)
}

// duplicate returns another descriptor of a socket, which blocks and is not inherited by the processes that are started.
func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	own, err := syscall.Dup(fd)
	if err != nil {
		return 0, err
	}
	syscall.CloseOnExec(own)
	if err := syscall.SetNonblock(own, false); err != nil {
		_ = syscall.Close(own)
		return 0, err
	}
	return own, nil
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.file.Read(p)
	if errors.Is(err, io.EOF) && w.closed.Load() {
		err = net.ErrClosed // by us: it is not the end of what the other side has to say
	}
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) { return w.file.Write(p) }

// Close implements net.Conn, and wakes who waits.
func (w *wire) Close() error {
	w.closed.Store(true)
	raw, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) }) // its other side may have gone
	return w.file.Close()
}

// SyscallConn implements syscall.Conn.
func (w *wire) SyscallConn() (syscall.RawConn, error) { return w.file.SyscallConn() }

// writeBoth writes two texts, small ones in one segment. It returns a buffer to be used again.
func writeBoth(conn io.Writer, buf, head, body []byte) ([]byte, error) {
	const together = 256 << 10
	if len(body) <= together {
		buf = append(append(buf[:0], head...), body...)
		_, err := conn.Write(buf)
		return buf, err
	}
	_, err := conn.Write(head)
	if err == nil {
		_, err = conn.Write(body)
	}
	return buf, err
}
