package engine

import (
	"net/netip"
	"time"
)

// Limits bound what a sandbox may use. An engine without the means leaves a bound out and says so in Isolation. Zero
// fields stand for no bound.
type Limits struct {
	Memory    int64   // bytes of all processes and of their temporary files in memory; beyond it the sandbox is killed
	CPU       float64 // processors it may use at most, such as 0.5
	Processes int     // threads count as well
	Files     int     // open at once in one process
	Temp      int64   // bytes of temporary files
}

// Network says which addresses a sandbox with a network of its own may connect to, besides the Internet's public ones.
type Network struct {
	Open []netip.Prefix // private ranges, such as 10.0.0.0/8
}

// Usage is what a sandbox uses.
type Usage struct {
	Memory    int64         // bytes
	CPU       time.Duration // since its start
	Processes int
}
