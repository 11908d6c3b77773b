package netstack

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
)

// admits reports whether the namespace may connect to an address.
func (c *Connection) admits(to netip.Addr) bool {
	if !c.stacks.public(to) && !c.opened(to) {
		return false
	}
	return elsewhere(to)
}

func (c *Connection) opened(to netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.open, func(p netip.Prefix) bool { return p.Contains(to) })
}

// elsewhere reports whether the machine would send packets to an address out. What it would keep is its own address, or no
// single one; that is asked each time, as addresses come and go.
func elsewhere(to netip.Addr) bool {
	routes, err := netlink.RouteGet(to.AsSlice())
	return err == nil && len(routes) > 0 && !slices.ContainsFunc(routes, func(r netlink.Route) bool { return r.Type != unix.RTN_UNICAST })
}

// destination is where a packet of a namespace is to go.
func destination(addr tcpip.Address, port uint16) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(addr.AsSlice())
	return netip.AddrPortFrom(ip.Unmap(), port)
}
