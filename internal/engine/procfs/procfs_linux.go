// Package procfs reads processes from /proc.
package procfs

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Process is a process as /proc shows it.
type Process struct {
	PID, Parent, Group, Session int
	Dead                        bool   // a zombie: nothing left to kill
	Born                        uint64 // start time in ticks since boot; with PID it names one process for good
}

// All lists all that are visible.
func All() []Process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	all := make([]Process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := Look(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// Look reads /proc/PID/stat.
func Look(pid int) (Process, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Process{}, false
	}
	// the name of the program may hold anything, so fields are counted from its end
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 20 {
		return Process{}, false
	}
	p := Process{PID: pid, Dead: fields[0] == "Z" || fields[0] == "X"}
	p.Parent, _ = strconv.Atoi(fields[1])
	p.Group, _ = strconv.Atoi(fields[2])
	p.Session, _ = strconv.Atoi(fields[3])
	p.Born, _ = strconv.ParseUint(fields[19], 10, 64)
	return p, true
}

// BornAt returns the start time of a process, 0 if there is none.
func BornAt(pid int) uint64 {
	p, _ := Look(pid)
	return p.Born
}

// Getenv returns a variable of the environment the process was started with, "" if there is none or it may not be read.
func (p Process) Getenv(name string) string {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
	if err != nil {
		return ""
	}
	for kv := range bytes.SplitSeq(env, []byte{0}) {
		if v, ok := bytes.CutPrefix(kv, []byte(name+"=")); ok {
			return string(v)
		}
	}
	return ""
}

// Busy reports whether a thread of p runs, or would if there were a processor for it.
func (p Process) Busy() bool {
	dir := "/proc/" + strconv.Itoa(p.PID) + "/task"
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

// Signal reaches p, and never another process that got p's pid meanwhile.
func (p Process) Signal(number unix.Signal) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if BornAt(p.PID) == p.Born {
		_ = unix.PidfdSendSignal(fd, number, nil, 0)
	}
}

// Sockets returns the inodes of the sockets that p holds.
func (p Process) Sockets() []uint32 {
	path := "/proc/" + strconv.Itoa(p.PID) + "/fd"
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

// BootID tells pids and start times of this boot from those of another.
func BootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(id))
}
