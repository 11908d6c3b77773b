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
	for c := range uintptr(lastCapability + 1) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prCapBSetDrop, c, 0)
		if errno != 0 && errno != syscall.EINVAL {
			return errno
		}
	}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prCapAmbient, ambientClearAll, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	return result(errno)
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

// landlock bounds this thread, and what it starts, to accesses below paths. Rules are pairs of access rights and path; the
// rights of the first pair, whose path is empty, are those that are bounded at all.
func landlock(scopes int, rules []string) error {
	if len(rules) < 2 {
		return wireError("landlock without rules")
	}
	attr := [3]uint64{uint64(integer(rules[0])), 0, uint64(scopes)} // handled_access_fs, handled_access_net, scoped
	size := unsafe.Sizeof(attr)
	if scopes == 0 {
		size = 8 // all that older kernels know
	}
	set, _, errno := syscall.Syscall(sysLandlockCreate, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer syscall.Close(int(set))
	for rules = rules[2:]; len(rules) >= 2; rules = rules[2:] {
		if err := allow(int(set), integer(rules[0]), rules[1]); err != nil {
			return err
		}
	}
	_, _, errno = syscall.RawSyscall(sysLandlockRestrict, set, 0, 0)
	return result(errno)
}

func allow(set, access int, path string) error {
	const pathOnly = 0x200000 // O_PATH
	fd, err := syscall.Open(path, pathOnly|syscall.O_CLOEXEC, 0)
	if err == syscall.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	rule := struct { // struct landlock_path_beneath_attr is packed: 12 bytes
		access uint64
		parent int32
	}{uint64(access), int32(fd)}
	const pathBeneath = 1
	_, _, errno := syscall.Syscall6(sysLandlockAddRule, uintptr(set), pathBeneath, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	return result(errno)
}
