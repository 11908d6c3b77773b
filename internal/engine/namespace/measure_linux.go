package namespace

import (
	"errors"
	"slices"
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
		err = s.signalAll(on, sig)
	}
	select {
	case <-s.gone:
		return nil
	default:
	}
	if errors.Is(err, errGone) { // the first process ends, and the others with it
		return nil
	}
	if err == nil {
		s.frozen = on
	}
	return err
}

const (
	freezeTries = 50 // looks whether all are stopped: one may have started another meanwhile
	freezePause = time.Millisecond
)

// signalAll sends a signal to all processes; one that stops them until all have stopped.
func (s *sandbox) signalAll(stops bool, sig syscall.Signal) error {
	for range freezeTries {
		_, err := s.call(pid1.Kill, strconv.Itoa(int(sig)))
		if err != nil || !stops || !slices.ContainsFunc(s.family(), func(p procfs.Process) bool { return !p.Stopped() }) {
			return err
		}
		<-time.After(freezePause)
	}
	_, err := s.call(pid1.Kill, strconv.Itoa(int(syscall.SIGCONT)))
	return errors.Join(errors.New("freeze: its processes start others faster than they can be stopped"), err)
}

// Usage implements engine.Meter.
func (s *sandbox) Usage() (engine.Usage, error) {
	if s.group != nil {
		return s.group.Usage()
	}
	return procfs.Usage(s.family()), nil
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
