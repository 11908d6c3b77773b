//go:build !linux

package shim

import (
	"net"
	"syscall"
)

func listening() []net.Addr { return nil }

func known([]net.Addr) map[uint32]bool { return nil }

// opened knows PORT only: Lambda runs Linux.
func opened(int, map[uint32]bool) []net.Addr { return nil }

func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
