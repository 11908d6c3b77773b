package nettest

import (
	"os"
	"testing"
)

// World is a machine between the Internet and a private network.
type World struct{ Machine, Internet, LAN *Space }

// NewWorld returns a World in which all answer at their addresses, see Serve. The test's end ends it.
//
//	the machine         203.0.113.1, 2a00:113::1; 10.9.0.1, 169.254.169.1, fd09::1
//	the Internet        203.0.113.10, 2a00:113::10
//	the private network 10.9.0.2, fd09::2, and a cloud's metadata, 169.254.169.254
func NewWorld(t *testing.T) *World {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to make network namespaces and interfaces")
	}
	w := &World{Machine: NewSpace(t), Internet: NewSpace(t), LAN: NewSpace(t)}
	Cable(t, w.Machine, "wan0", w.Internet, "eth0")
	Cable(t, w.Machine, "lan0", w.LAN, "eth0")
	for _, a := range []struct {
		space      *Space
		name, cidr string
	}{
		{w.Machine, "wan0", "203.0.113.1/24"},
		{w.Machine, "wan0", "2a00:113::1/64"},
		{w.Machine, "lan0", "10.9.0.1/24"},
		{w.Machine, "lan0", "169.254.169.1/24"},
		{w.Machine, "lan0", "fd09::1/64"},
		{w.Internet, "eth0", "203.0.113.10/24"},
		{w.Internet, "eth0", "2a00:113::10/64"},
		{w.LAN, "eth0", "10.9.0.2/24"},
		{w.LAN, "eth0", "169.254.169.254/24"},
		{w.LAN, "eth0", "fd09::2/64"},
	} {
		a.space.In(t, func() error { return Address(a.name, a.cidr) })
	}
	for _, s := range []struct {
		space *Space
		ips   []string
	}{
		{w.Internet, []string{"203.0.113.10", "2a00:113::10"}},
		{w.LAN, []string{"10.9.0.2", "169.254.169.254", "fd09::2"}},
		{w.Machine, []string{"203.0.113.1", "10.9.0.1", "2a00:113::1", "fd09::1"}},
	} {
		for _, ip := range s.ips {
			s.space.Serve(t, ip)
		}
	}
	return w
}
