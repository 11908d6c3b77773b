// Package filter makes the system call filter of sandboxes: everything that ordinary programs do is allowed, what is there
// to run, inspect or reconfigure a machine is refused with EPERM, and calls newer than this list with ENOSYS, as by a kernel that
// lacks them.
package filter

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16 // eight bytes each, the low half first on the processors that aloft runs on
)

const (
	allow       = unix.SECCOMP_RET_ALLOW
	kill        = unix.SECCOMP_RET_KILL_PROCESS
	refuse      = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unsupported = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	noFamily    = unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)
	noProtocol  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPROTONOSUPPORT)
)

// newest is the last call that was judged: file_setattr of Linux 6.17.
const newest = 469

// Program returns the filter as struct sock_filter instructions.
func Program() ([]byte, error) {
	p := &program{}
	p.load(offsetArch)
	p.unless(arch, kill)
	p.load(offsetNumber)
	if x32 {
		p.atLeast(x32Bit, kill)
	}
	p.atLeast(newest+1, unsupported)
	for _, nr := range slices.Compact(slices.Sorted(slices.Values(refused))) {
		p.when(nr, refuse)
	}
	for _, nr := range absent {
		p.when(nr, unsupported)
	}
	p.call(unix.SYS_SOCKET, socketRules)
	p.call(unix.SYS_SOCKETPAIR, socketRules)
	p.call(unix.SYS_CLONE, func(p *program) { p.refuseBits(cloneFlags, unix.CLONE_NEWUSER|newNamespaces) })
	p.call(unix.SYS_SENDTO, func(p *program) { p.refuseBits(3, unix.MSG_FASTOPEN) })
	p.call(unix.SYS_SENDMSG, func(p *program) { p.refuseBits(2, unix.MSG_FASTOPEN) })
	p.call(unix.SYS_SENDMMSG, func(p *program) { p.refuseBits(3, unix.MSG_FASTOPEN) })
	p.call(unix.SYS_SETSOCKOPT, fastOpenRules)
	p.call(unix.SYS_IOCTL, func(p *program) {
		p.argument(1)
		p.when(unix.TIOCSTI, refuse)
		p.when(unix.TIOCLINUX, refuse)
	})
	p.call(unix.SYS_PERSONALITY, func(p *program) {
		p.argument(0)
		for _, harmless := range []uint32{0, 8, 0xffffffff} { // PER_LINUX, PER_LINUX32, asking
			p.when(harmless, allow)
		}
		p.give(refuse)
	})
	p.give(allow)
	raw, err := bpf.Assemble(p.code)
	if err != nil {
		return nil, fmt.Errorf("assemble the system call filter: %w", err)
	}
	return encode(raw), nil
}

const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// socketRules let only those sockets pass that servers need. MPTCP and the like would go around rules about TCP ports
// (HARDENING.md C4), AF_VSOCK around the network namespace.
func socketRules(p *program) {
	p.argument(0)
	p.when(unix.AF_UNIX, allow)
	p.when(unix.AF_NETLINK, allow)
	p.among([]uint32{unix.AF_INET, unix.AF_INET6}, noFamily)
	p.argument(2)
	for _, protocol := range []uint32{
		unix.IPPROTO_MPTCP, unix.IPPROTO_SCTP, unix.IPPROTO_DCCP, unix.IPPROTO_UDPLITE, unix.IPPROTO_RAW, smcProtocol,
	} {
		p.when(protocol, noProtocol)
	}
}

const smcProtocol = 256 // IPPROTO_SMC

// fastOpenRules refuse to connect with the first bytes that are sent.
func fastOpenRules(p *program) {
	p.argument(1)
	p.among([]uint32{unix.IPPROTO_TCP}, allow)
	p.argument(2)
	p.when(unix.TCP_FASTOPEN_CONNECT, refuse)
}

// encode writes instructions as the kernel reads them.
func encode(raw []bpf.RawInstruction) []byte {
	b := make([]byte, 0, 8*len(raw))
	for _, i := range raw {
		b = binary.NativeEndian.AppendUint16(b, i.Op)
		b = append(b, i.Jt, i.Jf)
		b = binary.NativeEndian.AppendUint32(b, i.K)
	}
	return b
}

// program is a filter in the making.
type program struct{ code []bpf.Instruction }

func (p *program) add(i bpf.Instruction) { p.code = append(p.code, i) }

func (p *program) load(offset uint32) { p.add(bpf.LoadAbsolute{Off: offset, Size: 4}) }

// argument loads the low half of an argument.
func (p *program) argument(n uint32) { p.load(offsetArgs + 8*n) }

func (p *program) give(verdict uint32) { p.add(bpf.RetConstant{Val: verdict}) }

// when gives the verdict if what was loaded is value.
func (p *program) when(value, verdict uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value, SkipTrue: 1})
	p.give(verdict)
}

func (p *program) unless(value, verdict uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipTrue: 1})
	p.give(verdict)
}

func (p *program) atLeast(value, verdict uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpLessThan, Val: value, SkipTrue: 1})
	p.give(verdict)
}

// among gives the verdict if what was loaded is none of the values.
func (p *program) among(values []uint32, verdict uint32) {
	for i, v := range values {
		p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)})
	}
	p.give(verdict)
}

// refuseBits refuses the call if an argument has one of the bits.
func (p *program) refuseBits(argument, bits uint32) {
	p.argument(argument)
	p.add(bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: bits, SkipTrue: 1})
	p.give(refuse)
}

// call applies rules to one call; what they do not judge is allowed.
func (p *program) call(nr uint32, rules func(*program)) {
	inner := &program{}
	rules(inner)
	inner.give(allow)
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: nr, SkipTrue: uint8(len(inner.code))})
	p.code = append(p.code, inner.code...)
}
