package pid1

import (
	"syscall"
	"unsafe"
)

const (
	sysLandlockCreate   = 444
	sysLandlockAddRule  = 445
	sysLandlockRestrict = 446

	prSetNoNewPrivs   = 38
	prSetSeccomp      = 22
	prCapBSetDrop     = 24
	prCapAmbient      = 47
	ambientClearAll   = 4
	seccompModeFilter = 2
	lastCapability    = 63 // more than there are: the kernel refuses those that it does not know
)

// loopback brings lo up.
func loopback() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{name: [16]byte{'l', 'o'}, flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	return result(errno)
}

// lock makes sure that nothing this thread starts has or gains a capability.
func lock() error {
	if err := boundNothing(); err != nil {
		return err
	}
	if err := inheritNothing(); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prCapAmbient, ambientClearAll, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	return result(errno)
}

// boundNothing drops the capabilities that programs could bring. A thread without any capability may not do that, and need
// not: with no_new_privs programs bring none.
func boundNothing() error {
	has, err := capabilities()
	if err != nil || has[0].permitted == 0 && has[1].permitted == 0 {
		return err
	}
	for c := range uintptr(lastCapability + 1) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prCapBSetDrop, c, 0)
		if errno != 0 && errno != syscall.EINVAL {
			return errno
		}
	}
	return nil
}

// inheritNothing clears the inheritable capabilities of this thread; it keeps the others.
func inheritNothing() error {
	has, err := capabilities()
	if err != nil {
		return err
	}
	for i := range has {
		has[i].inheritable = 0
	}
	header := capabilityHeader{version: capabilityVersion}
	_, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&has)), 0)
	return result(errno)
}

// capabilityVersion is _LINUX_CAPABILITY_VERSION_3.
const capabilityVersion = 0x20080522

type (
	capabilityHeader struct{ version, pid uint32 }
	capabilitySets   [2]struct{ effective, permitted, inheritable uint32 }
)

// capabilities are those of this thread.
func capabilities() (has capabilitySets, err error) {
	header := capabilityHeader{version: capabilityVersion}
	_, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&has)), 0)
	return has, result(errno)
}

// seccomp installs a filter, a program of struct sock_filter, for this thread and what it starts.
func seccomp(program string) error {
	code := []byte(program)
	if len(code) == 0 {
		return nil
	}
	filter := struct {
		length uint16
		code   unsafe.Pointer
	}{uint16(len(code) / 8), unsafe.Pointer(&code[0])}
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSeccomp, seccompModeFilter, uintptr(unsafe.Pointer(&filter)))
	return result(errno)
}

// landlock bounds this thread, and what it starts: SCOPES FILES NETWORK, the rights that are bounded at all, then pairs of
// rights and what they are given for, a path or a TCP port written ":PORT".
func landlock(words []string) error {
	const fixed = 3
	if len(words) < fixed {
		return wireError("landlock without rules")
	}
	// struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped. Older kernels know only its beginning.
	attr := [3]uint64{uint64(integer(words[1])), uint64(integer(words[2])), uint64(integer(words[0]))}
	size := uintptr(len(attr))
	for size > 1 && attr[size-1] == 0 {
		size--
	}
	set, _, errno := syscall.Syscall(sysLandlockCreate, uintptr(unsafe.Pointer(&attr)), 8*size, 0)
	if errno != 0 {
		return errno
	}
	defer syscall.Close(int(set))
	for rules := words[fixed:]; len(rules) >= 2; rules = rules[2:] {
		if err := allow(set, integer(rules[0]), rules[1]); err != nil {
			return err
		}
	}
	_, _, errno = syscall.RawSyscall(sysLandlockRestrict, set, 0, 0)
	return result(errno)
}

// The kinds of rules.
const (
	pathBeneath = 1
	netPort     = 2
)

func allow(set uintptr, access int, what string) error {
	if len(what) > 1 && what[0] == ':' {
		rule := [2]uint64{uint64(access), uint64(integer(what[1:]))} // struct landlock_net_port_attr
		_, _, errno := syscall.Syscall6(sysLandlockAddRule, set, netPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
		return result(errno)
	}
	const pathOnly = 0x200000 // O_PATH
	fd, err := syscall.Open(what, pathOnly|syscall.O_CLOEXEC, 0)
	if err == syscall.ENOENT || err == syscall.EACCES {
		return nil // what is not there, or not for this user, cannot be given
	}
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var info syscall.Stat_t
	if err := syscall.Fstat(fd, &info); err == nil && info.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		access &= fileRights
	}
	rule := struct { // struct landlock_path_beneath_attr is packed: 12 bytes
		access uint64
		parent int32
	}{uint64(access), int32(fd)}
	_, _, errno := syscall.Syscall6(sysLandlockAddRule, set, pathBeneath, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	return result(errno)
}

// fileRights are those that can be given for a file: execute, write, read, truncate, ioctl.
const fileRights = 1 | 2 | 4 | 1<<14 | 1<<15
