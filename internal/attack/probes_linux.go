package attack

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine"
)

// Probes are all that is tried.
func Probes() []Probe {
	var all []Probe
	for group, list := range map[string][]Probe{
		"what every app needs": needs(), "files": files(), "other processes": others(), "network": network(),
		"system calls": calls(), "first process": first(), "limits": limits(),
	} {
		for _, p := range list {
			p.Group = group
			all = append(all, p)
		}
	}
	sortProbes(all)
	return all
}

const (
	confined = engine.Confined
	isolated = engine.Isolated
	bounded  = engine.Bounded
)

func needs() []Probe {
	return []Probe{
		{Name: "write to the temporary directory", try: func(target) error {
			return os.WriteFile(filepath.Join(os.TempDir(), "mine"), []byte("x"), 0o600) //nolint:gosec // its own directory
		}},
		{Name: "serve on the loopback address", try: func(target) error {
			l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
			if err == nil {
				err = l.Close()
			}
			return err
		}},
		{Name: "write beside the code", try: func(t target) error {
			return os.WriteFile(filepath.Join(t.Tree, "mine"), []byte("x"), 0o600)
		}},
		{Name: "start a program", try: func(target) error { return exec.Command("/bin/true").Run() }}, //nolint:noctx // at once
	}
}

func files() []Probe {
	read := func(path string) func(target) error {
		return func(target) error { _, err := os.ReadFile(path); return err }
	}
	write := func(path string) func(target) error {
		return func(target) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				err = f.Close()
			}
			return err
		}
	}
	create := func(dir string) func(target) error {
		return func(target) error {
			path := filepath.Join(dir, "aloft-probe")
			err := os.WriteFile(path, nil, 0o600)
			_ = os.Remove(path)
			return err
		}
	}
	return []Probe{
		{Name: "read the server's state", From: confined, try: func(t target) error { return contains(t.File, t.Secret) }},
		{Name: "read the other tenant's temporary file", From: confined, try: func(t target) error { return contains(t.TempFile, t.Secret) }},
		{Name: "read /etc/shadow", From: isolated, try: read("/etc/shadow")},
		{Name: "read /dev/mem", From: isolated, try: read("/dev/mem")},
		{Name: "read the kernel's log", From: confined, try: func(target) error { _, err := unix.Klogctl(3, make([]byte, 64)); return err }},
		{Name: "create a file in /usr", From: confined, try: create("/usr")},
		{Name: "create a file in /etc", From: confined, try: create("/etc")},
		{Name: "write a kernel setting", From: confined, try: write("/proc/sys/kernel/core_pattern")},
		{Name: "write to /sys", From: confined, try: write("/sys/kernel/uevent_helper")},
		{Name: "join another control group", From: confined, try: write("/sys/fs/cgroup/pids/cgroup.procs")},
		{Name: "change the released code", From: isolated, try: func(t target) error {
			return os.WriteFile(filepath.Join(t.Tree, "changed"), []byte("x"), 0o600)
		}, after: func(w *world) error { _, err := os.Stat(filepath.Join(w.tree, "changed")); return err }},
		{Name: "make a device", From: confined, try: func(target) error {
			path := filepath.Join(os.TempDir(), "device")
			defer os.Remove(path)
			return unix.Mknod(path, unix.S_IFBLK|0o600, 8<<8)
		}},
	}
}

func others() []Probe {
	proc := func(name string) func(t target) error {
		return func(t target) error { return contains("/proc/"+strconv.Itoa(t.PID)+"/"+name, t.Secret) }
	}
	return []Probe{
		{Name: "read the other tenant's environment", From: confined, try: proc("environ")},
		{Name: "read the other tenant's files by /proc", From: confined, try: func(t target) error {
			return contains("/proc/"+strconv.Itoa(t.PID)+"/root"+t.TempFile, t.Secret)
		}},
		{Name: "open the other tenant's memory", From: confined, try: func(t target) error {
			f, err := os.Open("/proc/" + strconv.Itoa(t.PID) + "/mem")
			if err == nil {
				err = f.Close()
			}
			return err
		}},
		{Name: "see the other tenant's process", From: isolated, try: func(target) error {
			lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range lines {
				if text, _ := os.ReadFile(file); strings.Contains(string(text), "\x00"+victimWord+"\x00") {
					return nil
				}
			}
			return errors.Join(err, errors.New("not there"))
		}},
		{Name: "signal the other tenant", From: confined, try: func(t target) error { return unix.Kill(t.PID, 0) }},
		{Name: "signal the server", From: confined, try: func(t target) error { return unix.Kill(t.Daemon, 0) }},
		{Name: "trace the other tenant", From: confined, try: func(t target) error { return unix.PtraceSeize(t.PID) }},
		{Name: "read the other tenant's memory by system call", From: confined, try: func(t target) error {
			b := make([]byte, 8)
			local := []unix.Iovec{{Base: &b[0], Len: 8}}
			_, err := unix.ProcessVMReadv(t.PID, local, []unix.RemoteIovec{{Base: 0x1000, Len: 8}}, 0)
			return permitted(err)
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

func first() []Probe {
	open := func(path string, flag int) func(target) error {
		return func(target) error {
			f, err := os.OpenFile(path, flag, 0)
			if err == nil {
				err = f.Close()
			}
			return err
		}
	}
	return []Probe{
		{Name: "overwrite the server's program", From: isolated, try: open("/proc/1/exe", os.O_WRONLY)},
		{Name: "read the first process's environment", From: isolated, try: open("/proc/1/environ", os.O_RDONLY)},
		{Name: "open the first process's memory", From: isolated, try: open("/proc/1/mem", os.O_RDWR)},
		{Name: "inherit descriptors", From: isolated, try: func(target) error {
			entries, err := os.ReadDir("/proc/self/fd")
			for _, e := range entries {
				link, linkErr := os.Readlink("/proc/self/fd/" + e.Name())
				if n, _ := strconv.Atoi(e.Name()); n > 2 && linkErr == nil && !strings.Contains(link, "anon_inode") && !strings.HasPrefix(link, "/proc/") {
					return nil
				}
			}
			return errors.Join(err, errors.New("none beyond 0, 1 and 2"))
		}},
		{Name: "dump core", From: confined, try: func(target) error {
			var limit unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
				return err
			}
			if limit.Max == 0 {
				return errors.New("not allowed")
			}
			return nil
		}},
	}
}

func limits() []Probe {
	return []Probe{
		{Name: "start 400 processes", From: isolated, try: func(target) error {
			var all []*exec.Cmd
			defer func() {
				for _, c := range all {
					_ = c.Process.Kill()
					_ = c.Wait()
				}
			}()
			for range 400 {
				c := exec.Command("/bin/sleep", "30") //nolint:noctx // killed below
				if err := c.Start(); err != nil {
					return err
				}
				all = append(all, c)
			}
			return nil
		}},
		{Name: "use twice the memory", From: isolated, try: func(target) error {
			const size = 2 * memory
			b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			for i := 0; i < size; i += 4096 {
				b[i] = 1
			}
			time.Sleep(time.Second) //nolint:forbidigo // where memory is watched, not bounded, that takes a moment
			_ = *(*byte)(unsafe.Pointer(&b[0]))
			return nil
		}},
		{Name: "fill the temporary directory", From: isolated, try: func(target) error {
			path := filepath.Join(os.TempDir(), "big")
			defer os.Remove(path)
			return os.WriteFile(path, make([]byte, 2*temp), 0o600)
		}},
		{Name: "make a hundred thousand files", From: isolated, try: func(target) error {
			for i := range 100_000 {
				if err := os.WriteFile(filepath.Join(os.TempDir(), "f"+strconv.Itoa(i)), nil, 0o600); err != nil { //nolint:gosec // its own directory
					return err
				}
			}
			return nil
		}},
	}
}
