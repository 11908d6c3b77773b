package process

import (
	"context"
	"fmt"
	"net"
)

// Dial implements engine.Sandbox: the sandbox's network is ours. A wildcard address is reached on the loopback of its family.
func (s *sandbox) Dial(ctx context.Context, addr net.Addr) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // a peer on this machine does not vanish silently
	network, address := addr.Network(), addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		loopback := net.IPv6loopback
		if tcp.IP.To4() != nil {
			loopback = net.IPv4(127, 0, 0, 1)
		}
		address = (&net.TCPAddr{IP: loopback, Port: tcp.Port}).String()
	}
	if network == "unix" {
		short, release, err := shorten(address)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", addr, err)
		}
		defer release()
		address = short
	}
	return d.DialContext(ctx, network, address)
}
