//go:build !linux

package gateway

import (
	"syscall"
	"time"
)

// boundSocket is left out: the write deadlines of the proxy hold.
func boundSocket(syscall.RawConn, time.Duration) {}

// roomFor knows nothing here.
func roomFor(uintptr) bool { return true }

// hungUp knows nothing here.
func hungUp(syscall.RawConn) bool { return false }

// progress knows nothing here.
func progress(syscall.RawConn) (taken uint64, ready, ok bool) { return 0, false, false }

func fileLimit() int { return usualFiles }
