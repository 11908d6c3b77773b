package process

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/procfs"
)

var (
	_ engine.Freezer = (*sandbox)(nil)
	_ engine.Meter   = (*sandbox)(nil)
)

const (
	freezeTries = 50 // looks whether all are stopped: one may have started another meanwhile
	freezePause = time.Millisecond
)

// Freeze implements engine.Freezer by SIGSTOP. A parent in the sandbox may learn that its child was stopped.
func (s *sandbox) Freeze() error {
	if s.frozen.Swap(true) {
		return nil
	}
	for range freezeTries {
		if err := s.Signal(syscall.SIGSTOP); err != nil {
			return errors.Join(err, s.Thaw())
		}
		if !slices.ContainsFunc(s.living(), func(p procfs.Process) bool { return !p.Stopped() }) {
			return nil
		}
		<-time.After(freezePause)
	}
	return errors.Join(errRestless, s.Thaw())
}

var errRestless = errors.New("its processes start others faster than they can be stopped")

// Thaw implements engine.Freezer.
func (s *sandbox) Thaw() error {
	if !s.frozen.Swap(false) {
		return nil
	}
	return s.Signal(syscall.SIGCONT)
}

// Usage implements engine.Meter.
func (s *sandbox) Usage() (engine.Usage, error) {
	family := s.living()
	if len(family) == 0 {
		return engine.Usage{}, os.ErrProcessDone
	}
	return procfs.Usage(family), nil
}
