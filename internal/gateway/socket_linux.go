package gateway

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unsentMost is how much of a response the kernel holds that is not on its way to the client. It bounds what a client costs
// that does not read, not how fast another one gets it.
const unsentMost = 128 << 10

// boundSocket makes the kernel drop a connection whose client takes nothing for so long (TCP_USER_TIMEOUT), the one limit
// that holds while a body is spliced, and bounds what lies ready for it.
func boundSocket(raw syscall.RawConn, stall time.Duration) {
	_ = raw.Control(func(fd uintptr) { // older kernels do without
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stall.Milliseconds()))
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMost)
	})
}

// roomFor reports whether the kernel takes more for the client.
func roomFor(fd uintptr) bool {
	look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(look, 0)
	return n != 0 || err != nil // what is wrong, the write says
}

// hungUp reports whether the client has closed its side, or the connection is gone.
func hungUp(raw syscall.RawConn) (gone bool) {
	err := raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, pollErr := unix.Poll(look, 0)
		gone = n != 0 && pollErr == nil
	})
	return gone || err != nil
}

// progress returns how many bytes the client has taken so far, and whether more lie ready for it. It is not ok for a
// connection that is closed.
func progress(raw syscall.RawConn) (taken uint64, ready, ok bool) {
	err := raw.Control(func(fd uintptr) {
		info, infoErr := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if infoErr == nil {
			taken, ready, ok = info.Bytes_acked, info.Notsent_bytes > 0 || info.Unacked > 0, true
		}
	})
	return taken, ready, ok && err == nil
}

// fileLimit is how many files this process may have open.
func fileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return usualFiles
	}
	return int(min(limit.Cur, 1<<24))
}
