package procfs

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// ticks is how many clock ticks make a second in /proc, on every processor that Go knows.
const ticks = 100

// Usage is what processes use together. Memory that they may share with others, such as the pages of a program's file, is
// left out.
func Usage(family []Process) engine.Usage {
	var u engine.Usage
	for _, p := range family {
		memory, processor := p.usage()
		u.Memory += memory
		u.CPU += processor
		u.Processes++
	}
	return u
}

func (p Process) usage() (memory int64, processor time.Duration) {
	dir := "/proc/" + strconv.Itoa(p.PID)
	if statm, err := os.ReadFile(dir + "/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 2 {
			resident, _ := strconv.ParseInt(fields[1], 10, 64)
			shared, _ := strconv.ParseInt(fields[2], 10, 64)
			memory = (resident - shared) * int64(os.Getpagesize())
		}
	}
	stat, _ := os.ReadFile(dir + "/stat")
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) > 12 {
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		processor = time.Duration(user+system) * time.Second / ticks
	}
	return memory, processor
}

// Stopped reports whether p was stopped by a signal.
func (p Process) Stopped() bool {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/stat")
	return strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " T ")
}
