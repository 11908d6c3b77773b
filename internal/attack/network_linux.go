package attack

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const dialTime = 2 * time.Second

// reach connects and reads the secret.
func reach(addr, secret string) error {
	c, err := net.DialTimeout("tcp", addr, dialTime) //nolint:noctx // bounded
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(dialTime))
	b := make([]byte, len(secret))
	if _, err := c.Read(b); err != nil || string(b) != secret {
		return fmt.Errorf("another answer: %w", errors.Join(err, unix.EPROTO))
	}
	return nil
}

func network() []Probe {
	socket := func(family, kind, protocol int) func(target) error {
		return func(target) error {
			fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		}
	}
	return []Probe{
		{Name: "connect to the server's API", From: confined, try: func(t target) error { return reach(t.Control, t.Secret) }},
		{Name: "connect to the machine's other address", From: confined, try: func(t target) error {
			if t.HostAddr == "" {
				return errors.New("it has none")
			}
			return reach(t.HostAddr, t.Secret)
		}},
		{Name: "connect to the other tenant", From: confined, try: func(t target) error {
			return reach(fmt.Sprintf("127.0.0.1:%d", t.Port), t.Secret)
		}},
		{Name: "connect to a cloud's metadata", From: confined, try: func(target) error {
			c, err := net.DialTimeout("tcp", "169.254.169.254:80", dialTime) //nolint:noctx // bounded
			if err == nil {
				err = c.Close()
			}
			return err
		}},
		{Name: "send datagrams to a cloud's metadata", From: isolated, try: sendToMetadata},
		{Name: "connect by MPTCP", From: confined, try: func(t target) error { return dialRaw(t.Control, unix.IPPROTO_MPTCP, 0) }},
		{Name: "connect by sending (TCP fast open)", From: confined, try: func(t target) error { return dialRaw(t.Control, 0, unix.MSG_FASTOPEN) }},
		{Name: "the server's abstract Unix socket", From: confined, try: func(t target) error {
			c, err := net.DialTimeout("unix", t.Abstract, dialTime) //nolint:noctx // bounded
			if err == nil {
				err = c.Close()
			}
			return err
		}},
		{Name: "a socket to the hypervisor (vsock)", From: confined, try: socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
		{Name: "a socket for raw packets", From: confined, try: socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
		{Name: "a socket for the kernel's ciphers", From: confined, try: socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)},
		{Name: "a raw IP socket", From: confined, try: socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
		{Name: "a socket of SCTP", From: confined, try: socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)},
	}
}

// dialRaw connects by a protocol, or by sending with flags.
func dialRaw(addr string, protocol, flags int) error {
	host, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrInet4{Port: host.Port, Addr: [4]byte(host.IP.To4())}
	if flags != 0 {
		return unix.Sendto(fd, []byte("x"), flags, to)
	}
	return unix.Connect(fd, to)
}

func sendToMetadata(target) error {
	c, err := net.Dial("udp", "169.254.169.254:53") //nolint:noctx // at once
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Write([]byte("x")); err == nil {
		_ = c.SetReadDeadline(time.Now().Add(dialTime))
		_, err = c.Read(make([]byte, 1))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) { // they left, and nobody said no
		err = nil
	}
	return err
}
