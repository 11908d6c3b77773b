package process

import (
	"syscall"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/procfs"
)

var (
	_ engine.Freezer = (*sandbox)(nil)
	_ engine.Meter   = (*sandbox)(nil)
)

// Freeze implements engine.Freezer.
func (s *sandbox) Freeze() error { return s.Signal(syscall.SIGSTOP) }

// Thaw implements engine.Freezer.
func (s *sandbox) Thaw() error { return s.Signal(syscall.SIGCONT) }

// Usage implements engine.Meter.
func (s *sandbox) Usage() (engine.Usage, error) {
	memory, processor, processes := procfs.Usage(s.living())
	return engine.Usage{Memory: memory, CPU: processor, Processes: processes}, nil
}
