package netstack

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// flowTime is how long a flow of datagrams may be silent, as on the way through most networks.
const flowTime = 2 * time.Minute

// flow is what goes from one port of a namespace to one of the world, and back.
type flow struct {
	remote *net.UDPConn
	app    *gonet.UDPConn
	queue  *waiter.Queue
	socket tcpip.Endpoint // app's
	used   atomic.Int64   // when it was used last, in nanoseconds
	nobody atomic.Bool    // the other side said that nobody is there
}

// forwardUDP begins a flow with its first datagram. It reports whether that is done; else the namespace is told that the
// port cannot be reached.
func (c *Connection) forwardUDP(request *udp.ForwarderRequest) bool {
	id := request.ID()
	to := destination(id.LocalAddress, id.LocalPort)
	if c.refuses(id) || !c.admits(to.Addr()) || !c.enter() {
		return false
	}
	f, err := c.begin(request, to)
	if err != nil {
		c.leave()
		return false
	}
	go func() {
		defer c.leave()
		c.relay(f)
		if f.nobody.Load() && c.ctx.Err() == nil {
			c.refuse(id)
		}
	}()
	return true
}

// relay passes datagrams on both ways until the flow ends.
func (c *Connection) relay(f *flow) {
	defer c.forget(f)
	defer context.AfterFunc(c.ctx, f.close)()
	out := make(chan struct{})
	go func() {
		defer close(out)
		f.end(f.out())
	}()
	f.end(f.back())
	<-out
}

// end ends a flow of which one way has ended.
func (f *flow) end(err error) {
	if errors.Is(err, unix.ECONNREFUSED) {
		f.nobody.Store(true)
	}
	f.close()
}

func (c *Connection) begin(request *udp.ForwarderRequest, to netip.AddrPort) (*flow, error) {
	remote, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	f := &flow{remote: remote, queue: &waiter.Queue{}}
	end, failed := request.CreateEndpoint(f.queue)
	if failed != nil {
		_ = remote.Close()
		return nil, failure("take a datagram", failed)
	}
	f.socket, f.app = end, gonet.NewUDPConn(f.queue, end)
	f.touch()
	c.remember(f)
	return f, nil
}

// remember keeps a flow, in the place of the most silent one if there are too many.
func (c *Connection) remember(f *flow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.flows) >= mostUDP {
		var oldest *flow
		for other := range c.flows {
			if oldest == nil || other.used.Load() < oldest.used.Load() {
				oldest = other
			}
		}
		delete(c.flows, oldest)
		oldest.close()
	}
	c.flows[f] = true
}

func (c *Connection) forget(f *flow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flows, f)
}

func (f *flow) touch() { f.used.Store(time.Now().UnixNano()) }

func (f *flow) silent() time.Duration { return time.Since(time.Unix(0, f.used.Load())) }

func (f *flow) close() {
	_ = f.remote.Close()
	f.socket.Close()
}

// out passes datagrams of the namespace on until the flow is closed or was silent for too long.
func (f *flow) out() error {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventErr | waiter.EventHUp)
	f.queue.EventRegister(&entry)
	timer := time.NewTimer(flowTime)
	defer timer.Stop()
	for {
		if err := f.drain(); err != nil {
			return err
		}
		select {
		case <-ready:
		case <-timer.C:
			silent := f.silent()
			if silent >= flowTime {
				return nil
			}
			timer.Reset(flowTime - silent)
		}
	}
}

// drain passes on what is there.
func (f *flow) drain() error {
	b := buffers.get()
	defer buffers.put(b)
	for {
		to := tcpip.SliceWriter(b[:])
		result, failed := f.socket.Read(&to, tcpip.ReadOptions{})
		if _, empty := failed.(*tcpip.ErrWouldBlock); empty {
			return nil
		}
		if failed != nil {
			return failure("read", failed)
		}
		f.touch()
		_, err := f.remote.Write(b[:result.Count])
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, net.ErrClosed) {
			return err // of other errors it is one datagram that is lost
		}
	}
}

// back passes answers on until the flow is closed or the other side says that nobody is there.
func (f *flow) back() error {
	raw, err := f.remote.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		b := buffers.get()
		defer buffers.put(b)
		for {
			var n int
			n, failed = unix.Read(int(fd), b[:])
			switch failed {
			case nil:
				f.touch()
				_, _ = f.app.Write(b[:n])
			case unix.EAGAIN:
				return false
			case unix.EINTR, unix.EHOSTUNREACH, unix.ENETUNREACH: // the way may come back
			default:
				return true
			}
		}
	})
	return errors.Join(err, failed)
}
