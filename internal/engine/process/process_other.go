//go:build !linux

package process

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine/procfs"
)

// Without /proc a sandbox is its process group: who leaves it is not found, and of listening sockets only the port is
// known that PORT assigned.

// awaitEnd reaps too: there is no waiting without it here.
func (s *sandbox) awaitEnd() { _ = s.cmd.Wait() }

func (*sandbox) family() []procfs.Process { return nil }

func (s *sandbox) killAll() {
	_ = syscall.Kill(-s.pid, syscall.SIGKILL)
}

// Listeners tries the assigned port.
func (s *sandbox) Listeners() ([]net.Addr, error) {
	for _, kv := range s.cmd.Env {
		text, ok := strings.CutPrefix(kv, "PORT=")
		port, err := strconv.Atoi(text)
		if !ok || err != nil {
			continue
		}
		for _, ip := range []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback} {
			addr := &net.TCPAddr{IP: ip, Port: port}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			conn, err := s.Dial(ctx, addr)
			cancel()
			if err == nil {
				return []net.Addr{addr}, conn.Close()
			}
		}
	}
	return nil, nil
}

// Idle implements engine.Idler: without /proc every sandbox that lives counts as idle.
func (s *sandbox) Idle() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// Datagrams implements engine.DatagramLister: none is known.
func (*sandbox) Datagrams() ([]net.Addr, error) { return nil, nil }

// Holder implements engine.PortHolder: nobody is known.
func (*Engine) Holder(int) (pid int, name string, ok bool) { return 0, "", false }

// Reap forgets the records in dir. Without start times a pid proves nothing, so it kills nobody.
func Reap(dir string) (int, error) {
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	return 0, nil
}

func shorten(path string) (short string, release func(), err error) { return path, func() {}, nil }
