package netstack

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The pair of interfaces, and the addresses: those of all namespaces are the same, as nothing is between them.
const (
	inside, outside           = "eth0", "aloft0"
	insideIndex, outsideIndex = 1000, 1001 // of interfaces that a namespace has from its beginning, none has one so high
	theirSide, ourSide        = "\x02\xa1\x0f\x70\x00\x02", "\x02\xa1\x0f\x70\x00\x01"

	// mtu is as large as a packet may be: nobody but this machine's memory carries it.
	mtu = 65520
)

// address and router are a namespace's, see RFC 2544 and package egress.
type address struct{ own, router netip.Addr }

func addresses() []address {
	all := []address{{netip.MustParseAddr("198.18.0.2"), netip.MustParseAddr("169.254.1.1")}}
	if elsewhere(netip.MustParseAddr("2000::1")) { // where the machine itself has no IPv6, apps should not try it
		all = append(all, address{netip.MustParseAddr("fd61:6c6f:6674:ffff::2"), netip.MustParseAddr("fe80::1")})
	}
	return all
}

// plug makes the pair in a namespace and returns the packet socket on its far end.
func plug(sockets Sockets) (*os.File, error) {
	route, err := sockets(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the namespace's settings: %w", err)
	}
	defer unix.Close(route)
	steps := []*nl.NetlinkRequest{pair(), quiet(insideIndex), quiet(outsideIndex), up(insideIndex), up(outsideIndex)}
	for _, a := range addresses() {
		steps = append(steps, assign(a), leave(a))
	}
	for _, step := range steps {
		if err := perform(route, step); err != nil && !errors.Is(err, unix.EAFNOSUPPORT) { // a kernel without IPv6
			return nil, err
		}
	}
	fd, err := sockets(unix.AF_PACKET, unix.SOCK_RAW, 0) // it takes nothing before it is bound
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network16(unix.ETH_P_ALL), Ifindex: outsideIndex}),
	)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set up a packet socket: %w", err)
	}
	return file(fd), nil
}

// socketBuffer is how many bytes of packets may wait for the stack; the machine may allow less.
const socketBuffer = 1 << 20

func network16(n uint16) uint16 { return n<<8 | n>>8 }

// pair makes the interfaces. Neither asks for hardware addresses: who sends to the router addresses the packet to itself,
// so that the far end's kernel ignores it. Packets of many segments are cut before they come to the far end, as the stack
// would take them for one.
func pair() *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	side := func(index int) *nl.IfInfomsg {
		message := nl.NewIfInfomsg(unix.AF_UNSPEC)
		message.Index = int32(index)
		message.Flags, message.Change = unix.IFF_NOARP, unix.IFF_NOARP
		return message
	}
	attributes := func(name, hardware string) []*nl.RtAttr {
		return []*nl.RtAttr{
			nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)), nl.NewRtAttr(unix.IFLA_ADDRESS, []byte(hardware)),
			nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(mtu)), nl.NewRtAttr(unix.IFLA_GSO_MAX_SEGS, nl.Uint32Attr(1)),
		}
	}
	request.AddData(side(insideIndex))
	for _, a := range attributes(inside, theirSide) {
		request.AddData(a)
	}
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	peer.AddChild(side(outsideIndex))
	for _, a := range attributes(outside, ourSide) {
		peer.AddChild(a)
	}
	request.AddData(info)
	return request
}

// quiet keeps an interface from making an IPv6 address of its own and asking who else is there.
func quiet(index int) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(index)
	request.AddData(message)
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	families.AddRtAttr(unix.AF_INET6, nil).AddRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, []byte{nl.IN6_ADDR_GEN_MODE_NONE})
	request.AddData(families)
	return request
}

func up(index int) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(index)
	message.Flags, message.Change = unix.IFF_UP|unix.IFF_NOARP, unix.IFF_UP|unix.IFF_NOARP
	request.AddData(message)
	return request
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// assign gives the inner interface its address.
func assign(a address) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	message := nl.NewIfAddrmsg(family(a.own))
	message.Index, message.Prefixlen, message.IfAddrmsg.Flags = insideIndex, uint8(a.own.BitLen()), unix.IFA_F_NODAD
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.IFA_LOCAL, a.own.AsSlice()))
	request.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, a.own.AsSlice()))
	return request
}

// leave sends everything else to the router: one neighbour, where the kernel would keep one for every destination.
func leave(a address) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	message := nl.NewRtMsg()
	message.Family, message.RtMsg.Flags = uint8(family(a.own)), unix.RTNH_F_ONLINK
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(insideIndex)))
	request.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, a.router.AsSlice()))
	return request
}

// perform makes a request on a socket of the namespace and awaits its acknowledgement, which is there at once.
func perform(fd int, request *nl.NetlinkRequest) error {
	names := map[uint16]string{unix.RTM_NEWLINK: "make interfaces", unix.RTM_SETLINK: "set up an interface", unix.RTM_NEWADDR: "give an interface an address", unix.RTM_NEWROUTE: "make a route"}
	if err := unix.Sendto(fd, request.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("%s: %w", names[request.Type], err)
	}
	b := make([]byte, unix.Getpagesize())
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", names[request.Type], err)
	}
	if n < unix.SizeofNlMsghdr+4 {
		return fmt.Errorf("%s: %w", names[request.Type], unix.EBADMSG)
	}
	if code := int32(nl.NativeEndian().Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
		return fmt.Errorf("%s: %w", names[request.Type], unix.Errno(-code))
	}
	return nil
}
