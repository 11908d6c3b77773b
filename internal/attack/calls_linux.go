package attack

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// raw makes a system call of which only the permission matters.
func raw(nr uintptr, args ...uintptr) func(target) error {
	return func(target) error {
		var a [6]uintptr
		copy(a[:], args)
		_, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		if errno == 0 {
			return nil
		}
		return permitted(errno)
	}
}

func calls() []Probe {
	minusOne := ^uintptr(0)
	return []Probe{
		{Name: "io_uring", From: confined, try: raw(unix.SYS_IO_URING_SETUP, 1, 0)},
		{Name: "load a BPF program", From: confined, try: raw(unix.SYS_BPF, 5, 0, 0)},
		{Name: "userfaultfd", From: confined, try: raw(unix.SYS_USERFAULTFD, 0xffff)},
		{Name: "the kernel's key rings", From: confined, try: raw(unix.SYS_KEYCTL, 0, minusOne-2, 0)},
		{Name: "performance counters", From: confined, try: raw(unix.SYS_PERF_EVENT_OPEN, 0, 0, minusOne, minusOne, 0)},
		{Name: "a new user namespace", From: confined, try: func(target) error { return unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWUSER) }},
		{Name: "clone3 with namespaces", From: confined, try: raw(unix.SYS_CLONE3, 0, 88)},
		{Name: "join a namespace", From: confined, try: raw(unix.SYS_SETNS, minusOne, 0)},
		{Name: "mount", From: confined, try: func(target) error { return permitted(unix.Mount("none", "/nonexistent", "tmpfs", 0, "")) }},
		{Name: "the new mount calls", From: confined, try: raw(unix.SYS_FSOPEN, 0, 0xff)},
		{Name: "chroot", From: confined, try: func(target) error { return permitted(unix.Chroot("/nonexistent")) }},
		{Name: "reboot", From: confined, try: raw(unix.SYS_REBOOT, 0, 0, 0)},
		{Name: "load a kernel module", From: confined, try: raw(unix.SYS_INIT_MODULE, 0, 0, 0)},
		{Name: "load a new kernel", From: confined, try: raw(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0xff)},
		{Name: "swap", From: confined, try: raw(unix.SYS_SWAPON, 0, 0)},
		{Name: "set the clock", From: confined, try: raw(unix.SYS_CLOCK_SETTIME, 0, 0)},
		{Name: "set the host name", From: confined, try: raw(unix.SYS_SETHOSTNAME, 0, 1)},
		{Name: "open files by handle", From: confined, try: raw(unix.SYS_OPEN_BY_HANDLE_AT, minusOne, 0, 0)},
		{Name: "steal a descriptor", From: confined, try: raw(unix.SYS_PIDFD_GETFD, minusOne, 0, 0)},
		{Name: "switch address randomisation off", From: confined, try: raw(unix.SYS_PERSONALITY, 0x40000)},
		{Name: "become root", From: isolated, try: func(target) error {
			if os.Geteuid() == 0 {
				return nil
			}
			return unix.Setuid(0)
		}},
		{Name: "have a capability", From: confined, try: func(target) error {
			status, err := os.ReadFile("/proc/self/status")
			if err == nil && strings.Contains(string(status), "CapEff:\t0000000000000000") {
				err = errors.New("none")
			}
			return err
		}},
		{Name: "gain rights by a set-user-ID program", From: confined, try: func(target) error {
			status, err := os.ReadFile("/proc/self/status")
			if err == nil && strings.Contains(string(status), "NoNewPrivs:\t1") {
				err = errors.New("no_new_privs is set")
			}
			return err
		}},
	}
}

// permitted turns the errors of a call that was allowed, but made no sense, into none.
func permitted(err error) error {
	for _, harmless := range []error{
		unix.EINVAL, unix.EFAULT, unix.ENOENT, unix.EBADF, unix.ENODEV, unix.ENOTDIR, unix.ENXIO, unix.EEXIST, unix.ENOEXEC, unix.EOPNOTSUPP, unix.ENOTBLK,
	} {
		if errors.Is(err, harmless) {
			return nil
		}
	}
	return err
}
