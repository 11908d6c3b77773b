// Package sockdiag lists listening sockets through the kernel's socket diagnosis (NETLINK_SOCK_DIAG): in tens of
// microseconds where reading /proc/net/tcp takes milliseconds.
package sockdiag

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Sizes and offsets are those of linux/inet_diag.h and linux/unix_diag.h.
const (
	tcpDiag          = 18 // older than the next: TCP of IPv4 and IPv6 in one list
	sockDiagByFamily = 20
	listenStates     = 1 << 10 // TCP_LISTEN, for Unix sockets too

	tcpRequestSize  = 60
	tcpStates       = 52 // offset
	inetRequestSize = 56
	inetReplySize   = 72
	unixRequestSize = 24
	unixReplySize   = 16
	unixShowName    = 1
	unixName        = 0 // attribute

	// datagram holds the largest part of a list that the kernel sends to a reader of no more: it makes its parts as large
	// as the reader's buffer, so that a larger one costs it, too. Starting programs are looked at each millisecond.
	datagram = 8 << 10
)

// Listener is a listening stream socket.
type Listener struct {
	Inode uint32
	Addr  net.Addr
}

// Listening lists the listening stream sockets of the caller's network, TCP first.
func Listening() ([]Listener, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open socket diagnosis: %w", err)
	}
	defer syscall.Close(fd)
	return ListeningBy(fd)
}

// ListeningBy does what Listening does through a diagnosis socket, for the network in which that was opened.
func ListeningBy(fd int) ([]Listener, error) {
	buf := make([]byte, datagram)
	all, err := listTCP(fd, buf)
	if err != nil {
		if all, err = listInet(fd, buf); err != nil {
			return nil, err
		}
	}
	request := make([]byte, unixRequestSize)
	request[0] = syscall.AF_UNIX
	binary.NativeEndian.PutUint32(request[4:], listenStates)
	binary.NativeEndian.PutUint32(request[12:], unixShowName)
	// a kernel without unix_diag refuses; TCP is found all the same
	_ = dump(fd, sockDiagByFamily, request, buf, func(b []byte) { all = appendUnix(all, b) })
	return all, nil
}

// listTCP lists TCP sockets of both families: half the work of two lists, for each of which the kernel walks the whole table
// of all networks.
func listTCP(fd int, buf []byte) (all []Listener, err error) {
	request := make([]byte, tcpRequestSize)
	binary.NativeEndian.PutUint32(request[tcpStates:], listenStates)
	err = dump(fd, tcpDiag, request, buf, func(b []byte) { all = appendInet(all, b) })
	return all, err
}

// listInet lists TCP sockets of one family after the other, for a kernel that does not know listTCP's request any more.
func listInet(fd int, buf []byte) (all []Listener, err error) {
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		request := make([]byte, inetRequestSize)
		request[0], request[1] = family, syscall.IPPROTO_TCP
		binary.NativeEndian.PutUint32(request[4:], listenStates)
		if err := dump(fd, sockDiagByFamily, request, buf, func(b []byte) { all = appendInet(all, b) }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// dump sends a request for a list and calls each with the body of every answer, which buf holds for that long.
func dump(fd int, kind uint16, request, buf []byte, each func([]byte)) error {
	message := make([]byte, syscall.NLMSG_HDRLEN, syscall.NLMSG_HDRLEN+len(request))
	binary.NativeEndian.PutUint32(message[0:], uint32(syscall.NLMSG_HDRLEN+len(request)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], syscall.NLM_F_REQUEST|syscall.NLM_F_DUMP)
	if err := syscall.Sendto(fd, append(message, request...), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask for sockets: %w", err)
	}
	for {
		n, _, err := syscall.Recvfrom(fd, buf, 0)
		if err == syscall.EINTR { //nolint:errorlint // a plain errno
			continue
		}
		if err != nil {
			return fmt.Errorf("list sockets: %w", err)
		}
		done, err := split(buf[:n], each)
		if done || err != nil {
			return err
		}
	}
}

// split cuts a datagram of netlink messages; done tells that the list is complete.
func split(b []byte, each func([]byte)) (done bool, err error) {
	for len(b) >= syscall.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size < syscall.NLMSG_HDRLEN || size > len(b) {
			return true, fmt.Errorf("list sockets: %w", os.ErrInvalid)
		}
		body := b[syscall.NLMSG_HDRLEN:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case syscall.NLMSG_DONE:
			return true, nil
		case syscall.NLMSG_ERROR:
			if len(body) < 4 {
				return true, fmt.Errorf("list sockets: %w", os.ErrInvalid)
			}
			return true, fmt.Errorf("list sockets: %w", syscall.Errno(-int32(binary.NativeEndian.Uint32(body))))
		default:
			each(body)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return false, nil
}

func appendInet(all []Listener, b []byte) []Listener {
	if len(b) < inetReplySize {
		return all
	}
	ip := net.IP(b[8:24])
	if b[0] == syscall.AF_INET {
		ip = ip[:4]
	}
	addr := &net.TCPAddr{IP: append(net.IP(nil), ip...), Port: int(binary.BigEndian.Uint16(b[4:]))}
	return append(all, Listener{Inode: binary.NativeEndian.Uint32(b[68:]), Addr: addr})
}

func appendUnix(all []Listener, b []byte) []Listener {
	if len(b) < unixReplySize || b[1] != syscall.SOCK_STREAM {
		return all
	}
	inode := binary.NativeEndian.Uint32(b[4:])
	for b = b[unixReplySize:]; len(b) >= 4; {
		size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if size < 4 || size > len(b) {
			break
		}
		if name := b[4:size]; kind == unixName && len(name) > 0 {
			return append(all, Listener{Inode: inode, Addr: &net.UnixAddr{Net: "unix", Name: unixPath(name)}})
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return all
}

// unixPath returns a socket's name as package net writes it: abstract names start with "@".
func unixPath(name []byte) string {
	if name[0] == 0 {
		return "@" + string(name[1:])
	}
	for i, c := range name {
		if c == 0 {
			return string(name[:i])
		}
	}
	return string(name)
}
