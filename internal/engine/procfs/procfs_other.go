//go:build !linux

package procfs

import "syscall"

// Process is nothing that could be read here.
type Process struct{ PID, Group int }

// Signal reaches nobody.
func (Process) Signal(syscall.Signal) {}

// BornAt knows no start times.
func BornAt(int) uint64 { return 0 }

// BootID is not known.
func BootID() string { return "" }
