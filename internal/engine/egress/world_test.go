//go:build linux

package egress_test

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

// space is a network namespace of the test.
type space struct{ file *os.File }

func newSpace(t *testing.T) *space {
	t.Helper()
	s := &space{}
	do(t, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		s.file, err = os.Open("/proc/thread-self/ns/net")
		return errors.Join(err, up("lo"))
	})
	t.Cleanup(func() { _ = s.file.Close() })
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

// in runs f in the namespace.
func (s *space) in(t *testing.T, f func() error) {
	t.Helper()
	do(t, func() error {
		if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
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

func address(name, cidr string) error {
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

// cable connects two namespaces.
func cable(t *testing.T, one *space, nameOne string, two *space, nameTwo string) {
	t.Helper()
	one.in(t, func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: nameOne}, PeerName: nameTwo, PeerNamespace: netlink.NsFd(int(two.file.Fd())),
		})
	})
	one.in(t, func() error { return up(nameOne) })
	two.in(t, func() error { return up(nameTwo) })
}

// serve answers "hello" on a TCP and a UDP port of an address.
func (s *space) serve(t *testing.T, ip string) {
	t.Helper()
	hostport := net.JoinHostPort(ip, strconv.Itoa(port))
	s.in(t, func() error {
		l, err := net.Listen("tcp", hostport)
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
				_, _ = io.WriteString(c, "hello")
				_ = c.Close()
			}
		}()
		p, err := net.ListenPacket("udp", hostport)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = p.Close() })
		go func() {
			b := make([]byte, 100)
			for {
				_, from, err := p.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = p.WriteTo([]byte("hello"), from)
			}
		}()
		return nil
	})
}

// patience is longer than any answer takes; a way that is closed must say so sooner.
const patience = 3 * time.Second

// ask connects from the namespace and reads the answer.
func (s *space) ask(t *testing.T, network, ip string) (answer string, err error) {
	t.Helper()
	s.in(t, func() error {
		var c net.Conn
		if c, err = net.DialTimeout(network, net.JoinHostPort(ip, strconv.Itoa(port)), patience); err != nil {
			return nil
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
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
