package procfs

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what processes use together: bytes of memory that they do not share with files, and processor time.
func Usage(all []Process) (memory int64, processor time.Duration, processes int) {
	for _, p := range all {
		m, t := consumed(p.PID)
		memory, processor, processes = memory+m, processor+t, processes+1
	}
	return memory, processor, processes
}

// ticks is how many clock ticks make a second in /proc, on every processor that Go knows.
const ticks = 100

// consumed reads what a process uses.
func consumed(pid int) (memory int64, processor time.Duration) {
	dir := "/proc/" + strconv.Itoa(pid)
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
