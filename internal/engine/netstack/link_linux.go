package netstack

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

var _ stack.LinkEndpoint = (*link)(nil)

// link is the stack's interface: it takes packets from a packet socket and gives packets to it. What finds no room is lost,
// as on any network.
type link struct {
	*channel.Endpoint // what a link does besides sending; its queue is not used

	packets *os.File
	raw     syscall.RawConn
	done    sync.WaitGroup
}

func newLink(packets *os.File) (*link, error) {
	raw, err := packets.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := &link{Endpoint: channel.New(0, mtu, ""), packets: packets, raw: raw}
	// The kernel leaves the sums of what never sees a wire to whoever wants them.
	l.LinkEPCapabilities = stack.CapabilityRXChecksumOffload
	return l, nil
}

func (l *link) start() { l.done.Go(l.receive) }

// stop ends the link and returns when it does nothing any more.
func (l *link) stop() error {
	err := l.packets.Close()
	l.done.Wait()
	return err
}

// frames are buffers for one frame.
type frames struct{ pool sync.Pool }

func (f *frames) get() *[frameSize]byte {
	if b, ok := f.pool.Get().(*[frameSize]byte); ok {
		return b
	}
	return new([frameSize]byte)
}

func (f *frames) put(b *[frameSize]byte) { f.pool.Put(b) }

// frameSize is what the longest frame has, and what is copied at once.
const frameSize = 64 << 10

// buffers are shared by all connections: who waits has none.
var buffers frames //nolint:gochecknoglobals // a pool has no state that anybody could see

func (l *link) receive() {
	_ = l.raw.Read(func(fd uintptr) bool {
		b := buffers.get()
		defer buffers.put(b)
		for {
			n, err := unix.Read(int(fd), b[:])
			switch err {
			case nil:
				l.deliver(b[:n])
			case unix.EAGAIN:
				return false
			case unix.EINTR, unix.ENETDOWN, unix.ENOBUFS: // the last two are said once, of what was
			default:
				return true
			}
		}
	})
}

func (l *link) deliver(frame []byte) {
	if len(frame) < header.EthernetMinimumSize {
		return
	}
	protocol := header.Ethernet(frame).Type()
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{
		Payload: buffer.MakeWithView(buffer.NewViewWithData(frame[header.EthernetMinimumSize:])),
	})
	l.InjectInbound(protocol, packet)
	packet.DecRef()
}

// WritePackets implements stack.LinkWriter.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	head := header.Ethernet(make([]byte, header.EthernetMinimumSize))
	fields := header.EthernetFields{SrcAddr: tcpip.LinkAddress(ourSide), DstAddr: tcpip.LinkAddress(theirSide)}
	sent := 0
	err := l.raw.Write(func(fd uintptr) bool {
		for _, packet := range list.AsSlice() {
			fields.Type = packet.NetworkProtocolNumber
			head.Encode(&fields)
			_, _ = unix.Writev(int(fd), append([][]byte{head}, packet.AsSlices()...))
			sent++
		}
		return true
	})
	if err != nil {
		return sent, &tcpip.ErrClosedForSend{}
	}
	return sent, nil
}
