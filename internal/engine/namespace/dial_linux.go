package namespace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// call asks the first process for something. The descriptor is -1 if none came with the answer.
func (s *seed) call(words ...string) (fd int, err error) {
	s.calls.Lock()
	defer s.calls.Unlock()
	return s.ask(words)
}

// ask does what call does; the caller holds s.calls.
func (s *seed) ask(words []string) (fd int, err error) {
	err = s.service.write(words, nil)
	var answer []string
	if err == nil {
		answer, fd, err = s.service.read()
	}
	if err != nil {
		return -1, errGone
	}
	if err := failureIn(answer, pid1.Done); err != nil {
		if f, ok := errors.AsType[*pid1Failure](err); ok {
			if errno, isErrno := pid1.ExecErrno(f.reason); isErrno {
				return -1, errno
			}
		}
		return -1, err
	}
	return fd, nil
}

// socket returns a new socket of the sandbox's network, which does not block.
func (s *seed) socket(family, kind, protocol int) (fd int, err error) {
	return s.call(pid1.Socket, strconv.Itoa(family), strconv.Itoa(kind), strconv.Itoa(protocol))
}

// Dial implements engine.Sandbox. Sockets stay in the network in which they were made: the first process makes them, and
// everything else happens here.
func (s *sandbox) Dial(ctx context.Context, addr net.Addr) (net.Conn, error) {
	fd, err := s.connect(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	f := os.NewFile(uintptr(fd), addr.String())
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	return conn, nil
}

func (s *sandbox) connect(ctx context.Context, addr net.Addr) (fd int, err error) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return s.call(pid1.Connect, addr.String())
	}
	family := unix.AF_INET6
	var to unix.Sockaddr
	if ip := tcp.IP.To4(); ip != nil {
		four := &unix.SockaddrInet4{Port: tcp.Port}
		if copy(four.Addr[:], ip); tcp.IP.IsUnspecified() {
			four.Addr = [4]byte{127, 0, 0, 1}
		}
		family, to = unix.AF_INET, four
	} else {
		six := &unix.SockaddrInet6{Port: tcp.Port}
		if copy(six.Addr[:], tcp.IP.To16()); tcp.IP.IsUnspecified() {
			six.Addr = [16]byte{15: 1}
		}
		to = six
	}
	fd, err = s.socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err = unix.Connect(fd, to); errors.Is(err, unix.EINPROGRESS) {
		err = connected(ctx, fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// pollPause is how long a connection is waited for between looks at the context.
const pollPause = 20 * time.Millisecond

func connected(ctx context.Context, fd int) error {
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(pollPause.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if n > 0 {
			code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && code != 0 {
				err = unix.Errno(code)
			}
			return err
		}
	}
	return ctx.Err()
}

// Listeners implements engine.Sandbox: whatever listens in the sandbox's network is the sandbox's, but for the engine's own.
func (s *sandbox) Listeners() ([]net.Addr, error) {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.diag == 0 {
		fd, err := s.ask([]string{pid1.Socket, strconv.Itoa(unix.AF_NETLINK), strconv.Itoa(unix.SOCK_RAW), strconv.Itoa(unix.NETLINK_SOCK_DIAG)})
		if err == nil {
			err = unix.SetNonblock(fd, false)
		}
		if err != nil {
			if errors.Is(err, errGone) {
				return nil, nil
			}
			return nil, fmt.Errorf("look for sockets: %w", err)
		}
		s.diag = fd
		s.count.watch(s.command)
	}
	now := time.Now()
	switch {
	case s.diag < 0:
		return nil, nil
	case s.count.same(now):
		return slices.Clone(s.count.found), nil
	}
	all, err := sockdiag.ListeningBy(s.diag)
	var addrs []net.Addr
	for _, l := range all {
		if !slices.Contains(s.own, l.Addr.String()) {
			addrs = append(addrs, s.absolute(l.Addr))
		}
	}
	if err != nil {
		return addrs, err
	}
	s.count.at, s.count.found = now, addrs
	return slices.Clone(addrs), nil
}

// absolute resolves a Unix socket that was bound by a relative path.
func (s *sandbox) absolute(addr net.Addr) net.Addr {
	u, ok := addr.(*net.UnixAddr)
	if !ok || filepath.IsAbs(u.Name) || strings.HasPrefix(u.Name, "@") {
		return addr
	}
	dir, err := os.Readlink("/proc/" + strconv.Itoa(s.command) + "/cwd")
	if err != nil {
		return addr
	}
	return &net.UnixAddr{Net: u.Net, Name: filepath.Join(dir, u.Name)}
}

// Listen implements engine.Listener.
func (s *seed) Listen(_ context.Context, network, address string) (net.Listener, error) {
	f, err := s.bind(unix.SOCK_STREAM, network, address)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileListener(f)
}

// bind returns a socket bound to an address of the sandbox's network.
func (s *seed) bind(kind int, network, address string) (*os.File, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s %s in a sandbox: %w", network, address, err)
	}
	family, raw := unix.AF_INET, []byte(addr.IP.To4())
	if raw == nil {
		family, raw = unix.AF_INET6, addr.IP.To16()
	}
	s.calls.Lock()
	defer s.calls.Unlock()
	fd, err := s.ask([]string{pid1.Bound, strconv.Itoa(family), strconv.Itoa(kind), strconv.Itoa(addr.Port), string(raw)})
	if err != nil {
		return nil, fmt.Errorf("listen on %s %s in a sandbox: %w", network, address, err)
	}
	s.own = append(s.own, addr.String())
	return os.NewFile(uintptr(fd), address), nil
}
