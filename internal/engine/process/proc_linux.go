package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// proc is a process as /proc shows it.
type proc struct {
	pid, parent, group, session int
	dead                        bool   // a zombie: nothing left to kill
	born                        uint64 // start time in ticks since boot
}

// processes lists all that are visible.
func processes() []proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	all := make([]proc, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := look(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// look reads /proc/PID/stat.
func look(pid int) (proc, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	// the name of the program may hold anything, so fields are counted from its end
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 20 {
		return proc{}, false
	}
	p := proc{pid: pid, dead: fields[0] == "Z" || fields[0] == "X"}
	p.parent, _ = strconv.Atoi(fields[1])
	p.group, _ = strconv.Atoi(fields[2])
	p.session, _ = strconv.Atoi(fields[3])
	p.born, _ = strconv.ParseUint(fields[19], 10, 64)
	return p, true
}

func bornAt(pid int) uint64 {
	p, _ := look(pid)
	return p.born
}

// token returns the marker in the environment the process was started with, "" if there is none or it may not be read.
func (p proc) token() string {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/environ")
	if err != nil {
		return ""
	}
	for kv := range bytes.SplitSeq(env, []byte{0}) {
		if v, ok := bytes.CutPrefix(kv, []byte(marker+"=")); ok {
			return string(v)
		}
	}
	return ""
}

// busy reports whether a thread of p runs, or would if there were a processor for it.
func (p proc) busy() bool {
	dir := "/proc/" + strconv.Itoa(p.pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, thread := range threads {
		stat, _ := os.ReadFile(dir + "/" + thread.Name() + "/stat")
		end := bytes.LastIndexByte(stat, ')')
		if end >= 0 && bytes.HasPrefix(stat[end:], []byte(") R")) {
			return true
		}
	}
	return false
}

// signal reaches p, and never another process that got p's pid meanwhile.
func (p proc) signal(number unix.Signal) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if bornAt(p.pid) == p.born {
		_ = unix.PidfdSendSignal(fd, number, nil, 0)
	}
}

// sockets returns the inodes of the sockets that p holds.
func (p proc) sockets() []uint32 {
	path := "/proc/" + strconv.Itoa(p.pid) + "/fd"
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var inodes []uint32
	for _, name := range names {
		link, err := os.Readlink(path + "/" + name)
		if err != nil {
			continue
		}
		number, ok := strings.CutPrefix(link, "socket:[")
		if !ok {
			continue
		}
		if inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); err == nil {
			inodes = append(inodes, uint32(inode))
		}
	}
	return inodes
}

// bootID tells pids and start times of this boot from those of another.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(id))
}

// awaitEnd returns once the first process has ended. It does not reap it.
func (s *sandbox) awaitEnd() {
	for {
		err := unix.Waitid(unix.P_PID, s.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}
