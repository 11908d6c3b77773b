// Package netstack gives network namespaces a way to the Internet without any rights over the machine's network: packets
// end in a TCP/IP stack within this process, which connects to where they were to go with ordinary sockets of its own. So a
// sandbox reaches what this process may reach, less what the policy shuts: the machine itself, private networks, links.
//
// A namespace gets a pair of interfaces, both in the namespace: the one has an address and the default route, from the
// other a packet socket takes what goes out. Neither the pair nor the socket needs a device of the machine, such as /dev/net/tun,
// which many machines keep from their users.
package netstack

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/aloft-run/aloft/internal/engine"
)

// Sockets makes a socket of a namespace, which does not block.
type Sockets func(family, kind, protocol int) (fd int, err error)

// Stacks connects the namespaces of a server.
type Stacks struct {
	public func(netip.Addr) bool
	most   int64        // connections of all namespaces at once
	now    atomic.Int64 // connections
}

// New returns Stacks that connect to the addresses for which public is true, unless they are the machine's own, and to what
// is opened to single namespaces.
func New(public func(netip.Addr) bool) *Stacks {
	var files unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &files)
	return &Stacks{public: public, most: int64(min(files.Max/2, mostAll))} // each has a descriptor, and the server needs others
}

// The connections of one namespace at once, and of all. One that wants more is refused; of UDP the flow that was idle longest
// makes room. A program that does its worst with them keeps some 128 MB of the server's memory.
const (
	mostTCP = 512
	mostUDP = 512
	mostAll = 8192

	mostWaiting = 2 * mostTCP // to be connected, or refused; more are not heard
)

// Connection is the way out of one namespace. Close must be called at the end.
type Connection struct {
	stacks *Stacks
	link   *link
	stack  *stack.Stack
	ctx    context.Context //nolint:containedctx // ends with the Connection, not with a call
	cancel context.CancelFunc

	mu      sync.Mutex
	open    []netip.Prefix
	tcp     int
	flows   map[*flow]bool
	refused map[stack.TransportEndpointID]bool // flows of which the namespace is being told that nobody is there
	closed  bool
	wg      sync.WaitGroup // of connections
}

// Connect gives the namespace in which sockets makes them a way out.
func (s *Stacks) Connect(sockets Sockets) (*Connection, error) {
	packets, err := plug(sockets)
	if err != nil {
		return nil, fmt.Errorf("connect a namespace: %w", err)
	}
	c := &Connection{stacks: s, flows: map[*flow]bool{}, refused: map[stack.TransportEndpointID]bool{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.link, err = newLink(packets); err == nil {
		err = c.build()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect a namespace: %w", err), packets.Close())
	}
	c.link.start()
	return c, nil
}

// nic is the number of the stack's only interface.
const nic = 1

// What the stack keeps of one TCP connection in each direction: enough for a link without distance.
const (
	window   = 128 << 10
	leastBuf = 4 << 10
)

// timeWait is how long the stack remembers a connection that it ended first. Packets of a pair of interfaces do not come late.
const timeWait = time.Second

func (c *Connection) build() error {
	c.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	s := c.stack
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: leastBuf, Default: window, Max: window}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: leastBuf, Default: window, Max: window}
	sack, moderate, wait := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(false), tcpip.TCPTimeWaitTimeoutOption(timeWait)
	for _, option := range []tcpip.SettableTransportProtocolOption{&receive, &send, &sack, &moderate, &wait} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return failure("set up TCP", err)
		}
	}
	if err := s.CreateNIC(nic, c.link); err != nil {
		return failure("make the stack's interface", err)
	}
	// Every address is the stack's own: it answers in the name of whom it connects to.
	if err := s.SetPromiscuousMode(nic, true); err != nil {
		return failure("answer for all addresses", err)
	}
	if err := s.SetSpoofing(nic, true); err != nil {
		return failure("answer for all addresses", err)
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(s, window, mostWaiting, c.forwardTCP).HandlePacket)
	s.SetTransportProtocolHandler(udp.ProtocolNumber, udp.NewForwarder(s, c.forwardUDP).HandlePacket)
	return nil
}

// failure is an error of the stack as one of Go.
func failure(doing string, err tcpip.Error) error { return fmt.Errorf("%s: %s", doing, err) }

// Allow opens private addresses to the namespace.
func (c *Connection) Allow(network engine.Network) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, network.Open...)
	return nil
}

// closePause is how often what is just being connected is told to end.
const closePause = 5 * time.Millisecond

// Close ends all connections and returns when nothing of them is left. It is harmless when repeated.
func (c *Connection) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.cancel()
	err := c.link.stop()
	ended := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(ended)
	}()
	for done := false; !done; {
		for _, e := range c.stack.RegisteredEndpoints() {
			e.Abort() // one that waits for the other side would wait long
		}
		select {
		case <-ended:
			done = true
		case <-time.After(closePause):
		}
	}
	c.stack.Destroy()
	return err
}

// enter counts a connection in; whoever did must call leave.
func (c *Connection) enter() bool {
	if c.stacks.now.Add(1) > c.stacks.most {
		c.stacks.now.Add(-1)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.stacks.now.Add(-1)
		return false
	}
	c.wg.Add(1)
	return true
}

func (c *Connection) leave() {
	c.stacks.now.Add(-1)
	c.wg.Done()
}

// file returns a descriptor that does not block as a file that waits without a thread.
func file(fd int) *os.File { return os.NewFile(uintptr(fd), "packets") }
