package local

import (
	"net/netip"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// What an instance may use if its function says nothing else: enough for real apps, far from what takes a machine down.
const (
	maxProcesses = 512
	maxFiles     = 65536
	maxTemp      = 512 << 20 // as on Lambda
)

// network is what an instance of f may connect to. What is no range was refused when the function was made.
func network(f aloft.Function) engine.Network {
	var n engine.Network
	for _, text := range f.Network {
		if p, err := netip.ParsePrefix(text); err == nil {
			n.Open = append(n.Open, p)
		}
	}
	return n
}

// limits are those of an instance of f.
func limits(f aloft.Function) engine.Limits {
	return engine.Limits{
		Memory: int64(f.Memory) << 20, CPU: f.CPU, Processes: maxProcesses, Files: maxFiles, Temp: maxTemp,
	}
}
