package netstack

import (
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// refuse tells a namespace that nobody is at the other end of a flow, which has ended. To that end it makes a datagram of
// the flow once more: the stack answers those that it cannot deliver.
func (c *Connection) refuse(id stack.TransportEndpointID) {
	c.mu.Lock()
	c.refused[id] = true
	c.mu.Unlock()
	protocol, datagram := datagramOf(id)
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(datagram)})
	c.link.InjectInbound(protocol, packet)
	packet.DecRef()
	c.mu.Lock()
	delete(c.refused, id)
	c.mu.Unlock()
}

func (c *Connection) refuses(id stack.TransportEndpointID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[id]
}

// datagramOf returns an empty datagram of a flow with the header of its network.
func datagramOf(id stack.TransportEndpointID) (tcpip.NetworkProtocolNumber, []byte) {
	const hops = 64
	network := header.IPv6MinimumSize
	if id.LocalAddress.Len() == header.IPv4AddressSize {
		network = header.IPv4MinimumSize
	}
	b := make([]byte, network+header.UDPMinimumSize)
	header.UDP(b[network:]).Encode(&header.UDPFields{SrcPort: id.RemotePort, DstPort: id.LocalPort, Length: header.UDPMinimumSize})
	if network == header.IPv6MinimumSize {
		header.IPv6(b).Encode(&header.IPv6Fields{
			PayloadLength: header.UDPMinimumSize, TransportProtocol: header.UDPProtocolNumber, HopLimit: hops,
			SrcAddr: id.RemoteAddress, DstAddr: id.LocalAddress,
		})
		return header.IPv6ProtocolNumber, b
	}
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), Protocol: uint8(header.UDPProtocolNumber), TTL: hops,
		SrcAddr: id.RemoteAddress, DstAddr: id.LocalAddress,
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	return header.IPv4ProtocolNumber, b
}
