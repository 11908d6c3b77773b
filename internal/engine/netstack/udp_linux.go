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
	end    tcpip.Endpoint // app's
	queue  *waiter.Queue
	used   atomic.Int64 // when it was used last, in nanoseconds
}

// forwardUDP begins a flow with its first datagram. It reports whether that is done; else the namespace is told that the
// port cannot be reached.
func (c *Connection) forwardUDP(request *udp.ForwarderRequest) bool {
	id := request.ID()
	to := destination(id.LocalAddress, id.LocalPort)
	if !c.admits(to.Addr()) || !c.enter() {
		return false
	}
	f, err := c.begin(request, to)
	if err != nil {
		c.leave()
		return false
	}
	go func() {
		defer c.leave()
		defer c.forget(f)
		stop := context.AfterFunc(c.ctx, f.close)
		defer stop()
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.back()
			f.close()
		}()
		f.out()
		f.close()
		<-done
	}()
	return true
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
	f.end, f.app = end, gonet.NewUDPConn(f.queue, end)
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
	f.end.Close()
}

// out passes datagrams of the namespace on until the flow is closed or was silent for too long.
func (f *flow) out() {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventErr | waiter.EventHUp)
	f.queue.EventRegister(&entry)
	timer := time.NewTimer(flowTime)
	defer timer.Stop()
	for {
		open := f.drain()
		if !open {
			return
		}
		select {
		case <-ready:
		case <-timer.C:
			silent := f.silent()
			if silent >= flowTime {
				return
			}
			timer.Reset(flowTime - silent)
		}
	}
}

// drain passes on what is there. It returns false at the end.
func (f *flow) drain() bool {
	b := buffers.get()
	defer buffers.put(b)
	for {
		to := tcpip.SliceWriter(b[:])
		result, err := f.end.Read(&to, tcpip.ReadOptions{})
		if err != nil {
			_, more := err.(*tcpip.ErrWouldBlock) //nolint:errorlint // the stack's errors are not Go's
			return more
		}
		f.touch()
		if _, err := f.remote.Write(b[:result.Count]); closed(err) {
			return false
		}
	}
}

// back passes answers on until the flow is closed or the other side says that nobody is there.
func (f *flow) back() {
	raw, err := f.remote.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) bool {
		b := buffers.get()
		defer buffers.put(b)
		for {
			n, err := unix.Read(int(fd), b[:])
			switch err {
			case nil:
				f.touch()
				_, _ = f.app.Write(b[:n])
			case unix.EAGAIN:
				return false
			case unix.EINTR:
			default:
				return true
			}
		}
	})
}

// closed reports whether an error of a write means that there is no use in further ones. A datagram that is too long, or
// finds no room, is lost alone.
func closed(err error) bool {
	return err != nil && !isAny(err, unix.EMSGSIZE, unix.ENOBUFS, unix.EPERM, unix.EAGAIN)
}

func isAny(err error, those ...unix.Errno) bool {
	for _, e := range those {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
