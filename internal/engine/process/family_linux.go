package process

import (
	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/procfs"
)

// family returns the living processes of the sandbox: its session, all descendants of its first process, and whoever
// carries its token. Only one that gave up all three is missed.
func (s *sandbox) family() []procfs.Process {
	return procfs.Members(procfs.All(), func(p procfs.Process) bool {
		return p.PID == s.pid || p.Session == s.pid || p.Born >= s.born && p.Getenv(marker) == s.record.token
	})
}

// living is the family, none after the end: then the first pid may be another's.
func (s *sandbox) living() []procfs.Process {
	select {
	case <-s.done:
		return nil
	default:
		return s.family()
	}
}

// Idle implements engine.Idler.
func (s *sandbox) Idle() bool {
	lives := false
	for _, p := range s.living() {
		if p.Busy() {
			return false
		}
		lives = lives || p.PID == s.pid
	}
	return lives
}

// killAll kills what is left of the sandbox, until a look finds nothing.
func (s *sandbox) killAll() {
	_ = unix.Kill(-s.pid, unix.SIGKILL)
	procfs.KillUntilGone(s.family)
}

// awaitEnd returns once the first process has ended. It does not reap it.
func (s *sandbox) awaitEnd() {
	for {
		err := unix.Waitid(unix.P_PID, s.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}
