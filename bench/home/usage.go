package home

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of processor times in /proc.
const tick = 10 * time.Millisecond

// CPU is the processor time that the server's process has used.
func (s *Server) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, err := strconv.Atoi(string(fields[11]))
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * tick, err
}

// RSS is the server's resident set in MB.
func (s *Server) RSS() (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.Atoi(string(bytes.Fields(data)[1]))
	return float64(pages) * float64(os.Getpagesize()) / 1e6, err
}

// Quiet waits until the server has used next to no processor time for a while.
func (s *Server) Quiet(ctx context.Context) error {
	for ctx.Err() == nil {
		before, err := s.CPU()
		if err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		after, err := s.CPU()
		if err != nil || after-before <= tick {
			return err
		}
	}
	return ctx.Err()
}
