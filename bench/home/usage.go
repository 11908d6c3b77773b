package home

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
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

// Memory is what a process has in memory, in MB.
type Memory struct {
	RSS float64 // the resident set
	Own float64 // of it, what is not the content of a file: heap, stacks. The rest is the program itself, as far as the kernel has mapped it
}

// Memory is what the server has in memory now.
func (s *Server) Memory() (m Memory, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return m, err
	}
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		for key, to := range map[string]*float64{"VmRSS:": &m.RSS, "RssAnon:": &m.Own} {
			if len(fields) < 2 || string(fields[0]) != key {
				continue
			}
			kB, err := strconv.Atoi(string(fields[1]))
			if err != nil {
				return m, err
			}
			*to = float64(kB) * 1024 / 1e6
		}
	}
	return m, nil
}

// RSS is the server's resident set in MB.
func (s *Server) RSS() (float64, error) {
	m, err := s.Memory()
	return m.RSS, err
}

const (
	steady     = 5 * time.Second // for which memory must not change, longer than a server waits until it gives some back
	steadyBy   = 0.3             // MB that count as no change
	steadySoon = 2 * time.Minute
)

// Settled waits until the server's memory does not change any more and returns it.
func (s *Server) Settled(ctx context.Context) (Memory, error) {
	first, err := s.Memory()
	since := time.Now()
	for deadline := since.Add(steadySoon); err == nil && time.Since(since) < steady; {
		if err = ctx.Err(); err != nil || time.Now().After(deadline) {
			return first, cmp.Or(err, fmt.Errorf("the server's memory still changes after %s: %.1f MB", steadySoon, first.RSS))
		}
		time.Sleep(100 * time.Millisecond)
		var m Memory
		if m, err = s.Memory(); math.Abs(m.RSS-first.RSS) > steadyBy {
			first, since = m, time.Now()
		}
	}
	return first, err
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
