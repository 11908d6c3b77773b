package pid1

import "syscall"

// The requests of the service socket. Each is answered by one message: Done, with a descriptor where one was asked for, or
// Failed and why.
const (
	Kill    = "kill"    // SIGNAL: to all processes but the first
	Socket  = "socket"  // FAMILY TYPE PROTOCOL: a new socket of the sandbox's network
	Connect = "connect" // PATH: a stream connected to a Unix socket; "@" stands for the zero byte of an abstract one
	Bound   = "bound"   // FAMILY TYPE PORT ADDRESS: a socket bound to an address of 4 or 16 bytes, listening if it is a stream
)

// serve answers requests until the engine is gone; then everything ends.
func serve() {
	for {
		words, files, err := receive(serviceFD)
		for _, fd := range files {
			_ = syscall.Close(fd)
		}
		if err != nil {
			syscall.Exit(1)
		}
		fd, err := answer(words)
		if err != nil {
			text := err.Error()
			if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // see failure
				text = execFailure + number(int(errno))
			}
			_ = send(serviceFD, []string{Failed, text})
			continue
		}
		if fd < 0 {
			_ = send(serviceFD, []string{Done})
			continue
		}
		_ = syscall.Sendmsg(serviceFD, Frame([]string{Done}), syscall.UnixRights(fd), nil, 0)
		_ = syscall.Close(fd)
	}
}

func answer(words []string) (fd int, err error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch arg(0) {
	case Kill:
		err := syscall.Kill(-1, syscall.Signal(integer(arg(1))))
		if err == syscall.ESRCH {
			err = nil
		}
		return -1, err
	case Socket:
		return syscall.Socket(integer(arg(1)), integer(arg(2))|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, integer(arg(3)))
	case Connect:
		return connect(arg(1))
	case Bound:
		return bound(integer(arg(1)), integer(arg(2)), integer(arg(3)), arg(4))
	}
	return -1, wireError("no such request")
}

func connect(path string) (int, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	name := path
	for i := len(path) - 1; i > 0 && path[0] == '/'; i-- { // a socket's address has room for 107 bytes only
		if path[i] == '/' {
			if err = syscall.Chdir(path[:i]); err == nil {
				name = path[i+1:]
			}
			break
		}
	}
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		_ = syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func bound(family, kind, port int, address string) (int, error) {
	fd, err := syscall.Socket(family, kind|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	four, six := &syscall.SockaddrInet4{Port: port}, &syscall.SockaddrInet6{Port: port}
	var addr syscall.Sockaddr = four
	if copy(four.Addr[:], address); family == syscall.AF_INET6 {
		copy(six.Addr[:], address)
		addr = six
	}
	if err = syscall.Bind(fd, addr); err == nil && kind == syscall.SOCK_STREAM {
		err = syscall.Listen(fd, backlog)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// backlog is how many connections may wait to be accepted.
const backlog = 128
