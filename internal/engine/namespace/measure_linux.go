package namespace

import (
	"errors"
	"strconv"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/procfs"
)

// Freeze implements engine.Freezer by the kernel's freezer, or by SIGSTOP where there is none.
func (s *sandbox) Freeze() error { return s.freeze(true, syscall.SIGSTOP) }

// Thaw implements engine.Freezer.
func (s *sandbox) Thaw() error { return s.freeze(false, syscall.SIGCONT) }

func (s *sandbox) freeze(on bool, sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen == on {
		return nil
	}
	err := errors.ErrUnsupported
	if s.group != nil {
		err = s.group.Freeze(on)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		_, err = s.call(pid1.Kill, strconv.Itoa(int(sig)))
	}
	select {
	case <-s.gone:
		return nil
	default:
	}
	if err == nil {
		s.frozen = on
	}
	return err
}

// Usage implements engine.Meter.
func (s *sandbox) Usage() (engine.Usage, error) {
	if s.group != nil {
		return s.group.Usage()
	}
	memory, processor, processes := procfs.Usage(s.family())
	return engine.Usage{Memory: memory, CPU: processor, Processes: processes}, nil
}

// watchPause is how often memory is looked at where the kernel does not bound it: a program that hurries overshoots by
// some 70 MB (HARDENING.md C5).
const watchPause = 50 * time.Millisecond

// watchMemory ends the sandbox when it uses more memory than it may, if the kernel does not see to that.
func (s *sandbox) watchMemory() {
	limit := s.spec.Limits.Memory
	if s.group != nil || limit == 0 {
		return
	}
	go func() {
		tick := time.NewTicker(watchPause)
		defer tick.Stop()
		for {
			select {
			case <-s.done:
				return
			case <-tick.C:
			}
			if u, err := s.Usage(); err == nil && u.Memory > limit {
				s.mu.Lock()
				s.hungry = true
				s.mu.Unlock()
				s.kill()
				return
			}
		}
	}()
}
