package netstack

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	// dialTime is how long an answer to a connection is waited for; then it is refused.
	dialTime = 15 * time.Second
	// halfTime is how long a connection of which one side has ended may be silent. One that both sides keep may be for ever:
	// the kernel looks whether the other machine still lives, and the namespace's end ends its own.
	halfTime = 5 * time.Minute
)

// forwardTCP connects to where a namespace wants to, and only then answers it: what is refused there is refused here.
func (c *Connection) forwardTCP(request *tcp.ForwarderRequest) {
	if !c.enterTCP() {
		request.Complete(true)
		return
	}
	defer c.leaveTCP()
	id := request.ID()
	remote, err := c.dialTCP(destination(id.LocalAddress, id.LocalPort))
	if err != nil {
		request.Complete(true)
		return
	}
	defer remote.Close()
	var queue waiter.Queue
	end, failed := request.CreateEndpoint(&queue)
	request.Complete(failed != nil)
	if failed != nil {
		return
	}
	j := &joint{remote: remote, app: gonet.NewTCPConn(&queue, end), end: end, queue: &queue}
	j.silence = time.AfterFunc(halfTime, j.abort)
	j.silence.Stop()
	defer context.AfterFunc(c.ctx, j.abort)()
	j.join()
}

func (c *Connection) enterTCP() bool {
	c.mu.Lock()
	room := c.tcp < mostTCP
	if room {
		c.tcp++
	}
	c.mu.Unlock()
	if !room {
		return false
	}
	if c.enter() {
		return true
	}
	c.mu.Lock()
	c.tcp--
	c.mu.Unlock()
	return false
}

func (c *Connection) leaveTCP() {
	c.mu.Lock()
	c.tcp--
	c.mu.Unlock()
	c.leave()
}

func (c *Connection) dialTCP(to netip.AddrPort) (*net.TCPConn, error) {
	if !c.admits(to.Addr()) {
		return nil, unix.EACCES
	}
	ctx, cancel := context.WithTimeout(c.ctx, dialTime)
	defer cancel()
	return (&net.Dialer{}).DialTCP(ctx, "tcp", netip.AddrPort{}, to)
}

// joint is a connection of a namespace and the one of this process that carries it on.
type joint struct {
	remote *net.TCPConn
	app    *gonet.TCPConn
	end    tcpip.Endpoint // app's
	queue  *waiter.Queue  // of what happens to end

	half    atomic.Bool // one side has ended
	silence *time.Timer // from then on, aborts the connection
}

// abort ends both sides by a reset.
func (j *joint) abort() {
	_ = j.remote.SetLinger(0)
	_ = j.remote.Close()
	j.end.Abort()
}

// join copies both ways until both sides have ended. What ends one side in good order ends the other so; a fault does
// both at once.
func (j *joint) join() {
	raw, err := j.remote.SyscallConn()
	if err != nil {
		j.abort()
		return
	}
	out := make(chan struct{})
	go func() {
		defer close(out)
		j.carry(j.fromApp(), j.remote)
	}()
	j.carry(fromRemote(raw), j.app)
	<-out
	j.silence.Stop()
	_ = j.app.Close()
}

// writer is the side that bytes are carried to.
type writer interface {
	io.Writer
	CloseWrite() error
}

// carry copies one way to its end.
func (j *joint) carry(next reader, to writer) {
	if j.move(next, to) != io.EOF || to.CloseWrite() != nil { //nolint:errorlint // as readers say it
		j.abort()
	}
	j.half.Store(true)
	j.silence.Reset(halfTime)
}

// reader waits for bytes and takes a buffer only then. It returns io.EOF at the end.
type reader func() (b *[frameSize]byte, n int, err error)

// move copies until the end, which is io.EOF, or a fault.
func (j *joint) move(next reader, to io.Writer) error {
	for {
		b, n, err := next()
		if err != nil {
			return err
		}
		_, err = to.Write(b[:n])
		buffers.put(b)
		if err != nil {
			return err
		}
		if j.half.Load() {
			j.silence.Reset(halfTime)
		}
	}
}

func fromRemote(raw syscall.RawConn) reader {
	return func() (b *[frameSize]byte, n int, err error) {
		var failed error
		err = raw.Read(func(fd uintptr) bool {
			b = buffers.get()
			for {
				n, failed = unix.Read(int(fd), b[:])
				if failed == unix.EINTR {
					continue
				}
				if failed == unix.EAGAIN {
					buffers.put(b)
				}
				return failed != unix.EAGAIN
			}
		})
		if err == nil {
			err = failed
		}
		if err == nil && n == 0 {
			err = io.EOF
		}
		return b, n, err
	}
}

func (j *joint) fromApp() reader {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventErr | waiter.EventHUp)
	j.queue.EventRegister(&entry)
	return func() (*[frameSize]byte, int, error) {
		for {
			b := buffers.get()
			to := tcpip.SliceWriter(b[:])
			result, err := j.end.Read(&to, tcpip.ReadOptions{})
			if err == nil {
				return b, result.Count, nil
			}
			buffers.put(b)
			switch err.(type) {
			case *tcpip.ErrWouldBlock:
				<-ready
			case *tcpip.ErrClosedForReceive:
				return nil, 0, io.EOF
			default:
				return nil, 0, failure("read", err)
			}
		}
	}
}
