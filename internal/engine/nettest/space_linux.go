// Package nettest makes networks for tests, out of network namespaces: a machine, an Internet, a private network.
package nettest

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Port is where everybody listens.
const Port = 7000

// Space is a network namespace of a test.
type Space struct{ File *os.File }

// NewSpace returns a namespace that the test's end ends. It needs root.
func NewSpace(t *testing.T) *Space {
	t.Helper()
	s := &Space{}
	do(t, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		s.File, err = os.Open("/proc/thread-self/ns/net")
		return errors.Join(err, up("lo"))
	})
	t.Cleanup(func() { _ = s.File.Close() })
	return s
}

// do runs f on a thread of its own, which may change its namespaces.
func do(t *testing.T, f func() error) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		failed <- f()
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// In runs f in the namespace.
func (s *Space) In(t *testing.T, f func() error) {
	t.Helper()
	do(t, func() error {
		if err := unix.Setns(int(s.File.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// Address gives an interface of the calling thread's namespace an address.
func Address(name, cidr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	addr.Flags = unix.IFA_F_NODAD
	return netlink.AddrAdd(link, addr)
}

// Cable connects two namespaces.
func Cable(t *testing.T, one *Space, nameOne string, two *Space, nameTwo string) {
	t.Helper()
	one.In(t, func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: nameOne}, PeerName: nameTwo, PeerNamespace: netlink.NsFd(int(two.File.Fd())),
		})
	})
	one.In(t, func() error { return up(nameOne) })
	two.In(t, func() error { return up(nameTwo) })
}

// Serve answers "hello" on a TCP and a UDP port of an address.
func (s *Space) Serve(t *testing.T, ip string) {
	t.Helper()
	hostport := net.JoinHostPort(ip, strconv.Itoa(Port))
	s.In(t, func() error {
		if err := Listen(t, hostport, func(c net.Conn) { _, _ = io.WriteString(c, "hello") }); err != nil {
			return err
		}
		return Datagrams(t, hostport, func([]byte) []byte { return []byte("hello") })
	})
}

// Listen handles TCP connections to an address of the calling thread's namespace until the test's end.
func Listen(t *testing.T, address string, handle func(net.Conn)) error {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return nil
}

// Datagrams answers datagrams to an address as Listen handles connections.
func Datagrams(t *testing.T, address string, answer func([]byte) []byte) error {
	t.Helper()
	p, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", address)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = p.Close() })
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = p.WriteTo(answer(b[:n]), from)
		}
	}()
	return nil
}

// Patience is longer than any answer takes; a way that is closed must say so sooner.
const Patience = 3 * time.Second

// Ask connects from the namespace and reads the answer.
func (s *Space) Ask(t *testing.T, network, ip string) (answer string, err error) {
	t.Helper()
	s.In(t, func() error {
		var c net.Conn
		if c, err = (&net.Dialer{Timeout: Patience}).DialContext(t.Context(), network, net.JoinHostPort(ip, strconv.Itoa(Port))); err != nil {
			return nil
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(Patience))
		if network == "udp" {
			_, _ = c.Write([]byte("?"))
		}
		b := make([]byte, 5)
		var n int
		n, err = io.ReadFull(c, b)
		answer = string(b[:n])
		return nil
	})
	return answer, err
}
