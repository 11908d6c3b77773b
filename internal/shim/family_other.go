//go:build !linux

package shim

// The package is built on other systems too, for what stacks and the CLI write for the shim and for tests. It runs on Lambda, which
// is Linux.

import (
	"net"
	"syscall"
)

func listening() []net.Addr { return nil }

func known([]net.Addr) map[uint32]bool { return nil }

// opened knows PORT only: Lambda runs Linux.
func opened(int, map[uint32]bool) []net.Addr { return nil }

func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
