//go:build linux

package sockdiag

import "golang.org/x/sys/unix"

// TCP and Inet are the two ways to list TCP sockets.
func TCP() ([]Listener, error)  { return with(listTCP) }
func Inet() ([]Listener, error) { return with(listInet) }

func with(list func(fd int, buf []byte) ([]Listener, error)) ([]Listener, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return list(fd, make([]byte, datagram))
}
