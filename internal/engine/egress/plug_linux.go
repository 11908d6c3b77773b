package egress

import (
	"errors"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inside is the name of the interface in a namespace.
const inside = "eth0"

// router is what namespaces send their packets to: an address that no machine has. Its hardware address is entered by
// hand on both sides, so nobody asks for it.
var (
	router4     = net.IPv4(169, 254, 1, 1).To4()                       //nolint:gochecknoglobals // a constant
	router6     = net.ParseIP("fe80::1")                               //nolint:gochecknoglobals // a constant
	machineSide = net.HardwareAddr{0x02, 0xa1, 0x0f, 0x70, 0x00, 0x01} //nolint:gochecknoglobals // a constant
)

// plug makes the pair of interfaces, and addresses and routes on both sides.
func (c *Connection) plug(space *os.File) error {
	pair := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: c.link, HardwareAddr: machineSide, TxQLen: 1000},
		PeerName:         inside,
		PeerNamespace:    netlink.NsFd(int(space.Fd())),
		PeerHardwareAddr: c.hardware(),
	}
	if err := netlink.LinkAdd(pair); err != nil {
		return err
	}
	link, err := netlink.LinkByName(c.link)
	if err != nil {
		return err
	}
	host, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer host.Close()
	if err := errors.Join(
		setting("ipv4/conf/"+c.link+"/forwarding", "1"),
		setting("ipv4/conf/"+c.link+"/rp_filter", "1"), // drops packets from addresses that are not the namespace's
		host.LinkSetUp(link),
		c.reach(host, link, c.egress.address4(c.number)),
	); err != nil {
		return err
	}
	if c.egress.via6 {
		if err := c.reach(host, link, c.egress.address6(c.number)); err != nil {
			return err
		}
	}
	return c.configure(space)
}

// hardware is the address of the namespace's side.
func (c *Connection) hardware() net.HardwareAddr {
	return net.HardwareAddr{0x02, 0xa1, 0x0f, 0x71, byte(c.number >> 8), byte(c.number)}
}

// reach makes an address of the namespace known to the machine.
func (c *Connection) reach(host *netlink.Handle, link netlink.Link, ip net.IP) error {
	bits := 8 * len(ip)
	index := link.Attrs().Index
	neighbour := &netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: ip, HardwareAddr: c.hardware()}
	route := &netlink.Route{LinkIndex: index, Dst: &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)}, Scope: netlink.SCOPE_LINK}
	return errors.Join(host.RouteAdd(route), host.NeighAdd(neighbour))
}

// configure sets the namespace's side.
func (c *Connection) configure(space *os.File) error {
	handle, err := netlink.NewHandleAt(netns.NsHandle(space.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer handle.Close()
	link, err := handle.LinkByName(inside)
	if err != nil {
		return err
	}
	if err := handle.LinkSetUp(link); err != nil {
		return err
	}
	if err := c.leave(handle, link, c.egress.address4(c.number), router4); err != nil {
		return err
	}
	if c.egress.via6 {
		return c.leave(handle, link, c.egress.address6(c.number), router6)
	}
	return nil
}

// leave gives the namespace an address and sends everything else to the router.
func (*Connection) leave(handle *netlink.Handle, link netlink.Link, ip, router net.IP) error {
	bits := 8 * len(ip)
	index := link.Attrs().Index
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)}, Flags: unix.IFA_F_NODAD}
	neighbour := &netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: router, HardwareAddr: machineSide}
	toRouter := &netlink.Route{LinkIndex: index, Dst: &net.IPNet{IP: router, Mask: net.CIDRMask(bits, bits)}, Scope: netlink.SCOPE_LINK}
	out := &netlink.Route{LinkIndex: index, Dst: &net.IPNet{IP: make(net.IP, len(ip)), Mask: net.CIDRMask(0, bits)}, Gw: router}
	return errors.Join(
		handle.AddrAdd(link, addr), handle.NeighAdd(neighbour), handle.RouteAdd(toRouter), handle.RouteAdd(out),
	)
}
