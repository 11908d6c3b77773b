package local

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// What an instance may use if its function says nothing else: enough for real apps, far from what takes a machine down.
const (
	maxProcesses = 512
	maxFiles     = 65536
	maxTemp      = 512 << 20 // as on Lambda
)

// limits are those of an instance of f.
func limits(f aloft.Function) engine.Limits {
	return engine.Limits{
		Memory: int64(f.Memory) << 20, Processes: maxProcesses, Files: maxFiles, Temp: maxTemp,
	}
}
