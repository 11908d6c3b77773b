package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// processorTime is what a process and its children have used, those of them that ended aside. It counts in ticks of 10 ms.
func processorTime(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	var ticks int
	for _, file := range all {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		at, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		number := func(i int) int { n, _ := strconv.Atoi(string(fields[i])); return n }
		if at == pid || number(1) == pid {
			ticks += number(11) + number(12)
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
