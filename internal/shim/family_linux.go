package shim

import (
	"bytes"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// listening lists the listening sockets of the environment: through the kernel's diagnosis, or where that is not permitted from
// /proc/net, which is slower and knows of no Unix sockets.
func listening() []sockdiag.Listener {
	all, err := sockdiag.Listening()
	if err == nil {
		return all
	}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if l, ok := parseListener(line); ok {
				all = append(all, l)
			}
		}
	}
	return all
}

// parseListener reads a line of /proc/net/tcp: "0: 0100007F:1F90 00000000:0000 0A … uid timeout inode".
func parseListener(line string) (l sockdiag.Listener, ok bool) {
	const listen = "0A"
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listen {
		return l, false
	}
	host, port, _ := strings.Cut(fields[1], ":")
	number, err := strconv.ParseUint(port, 16, 16)
	inode, inodeErr := strconv.ParseUint(fields[9], 10, 32)
	if err != nil || inodeErr != nil {
		return l, false
	}
	ip := net.IPv4(127, 0, 0, 1)
	if len(host) > 8 && strings.Trim(host, "0") != "" { // a name for itself rather than the unspecified address, which takes IPv4 too
		ip = net.IPv6loopback
	}
	return sockdiag.Listener{Inode: uint32(inode), Addr: &net.TCPAddr{IP: ip, Port: int(number)}}, true
}

// known are the sockets that listen already, by inode.
func known(all []sockdiag.Listener) map[uint32]bool {
	inodes := make(map[uint32]bool, len(all))
	for _, l := range all {
		inodes[l.Inode] = true
	}
	return inodes
}

// opened returns where the processes of a group and their descendants listen, sockets that listened before aside.
func opened(group int, before map[uint32]bool) []net.Addr {
	all := listening()
	fresh := all[:0]
	for _, l := range all {
		if !before[l.Inode] {
			fresh = append(fresh, l)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	own, readable := socketsOf(group)
	var addrs []net.Addr
	for _, l := range fresh {
		if own[l.Inode] || !readable {
			addrs = append(addrs, l.Addr)
		}
	}
	return addrs
}

// socketsOf returns the inodes of the sockets that a group's processes and their descendants hold; readable is false if the
// files of none of them can be looked at.
func socketsOf(group int) (inodes map[uint32]bool, readable bool) {
	inodes = map[uint32]bool{}
	for _, pid := range family(group) {
		path := "/proc/" + strconv.Itoa(pid) + "/fd"
		files, err := os.ReadDir(path)
		if err != nil {
			continue
		}
		readable = true
		for _, file := range files {
			link, _ := os.Readlink(path + "/" + file.Name())
			number, ok := strings.CutPrefix(link, "socket:[")
			if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); ok && err == nil {
				inodes[uint32(inode)] = true
			}
		}
	}
	return inodes, readable
}

// family returns the processes of a group with their descendants.
func family(group int) []int {
	type process struct{ parent, group int }
	all := map[int]process{}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the program's name may hold anything
		if len(fields) < 3 {
			continue
		}
		var p process
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		all[pid] = p
	}
	var pids []int
	for pid, p := range all {
		for steps := 0; steps < len(all); steps++ {
			if p.group == group {
				pids = append(pids, pid)
				break
			}
			parent, ok := all[p.parent]
			if !ok {
				break
			}
			p = parent
		}
	}
	return pids
}

// apart is how a server is started: in a process group of its own, and not outliving the shim, whose end nobody else would
// notice: a server that is left holds its port. The kernel means the thread that started it; Go ends none that is not locked.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
