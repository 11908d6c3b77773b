package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/procfs"
	"github.com/aloft-run/aloft/internal/engine/stdio"
)

var (
	_ engine.Sandbox        = (*sandbox)(nil)
	_ engine.DatagramLister = (*sandbox)(nil)
	_ engine.Idler          = (*sandbox)(nil)
	_ engine.Settler        = (*sandbox)(nil)
)

type sandbox struct {
	cmd    *exec.Cmd
	pid    int
	born   uint64 // start time in ticks since boot; with pid it names one process for good
	record record
	pipes  *stdio.Pipes

	mu    sync.Mutex // held while signalling, so that the pid is not reused meanwhile
	ended bool

	frozen atomic.Bool

	listenMu sync.Mutex
	seen     map[uint32]bool // listening inodes looked at: ours or not
	seenAt   time.Time       // when seen was last emptied

	done chan struct{}
	exit engine.Exit
}

func (s *sandbox) start(path string, spec engine.Spec) error {
	s.cmd = &exec.Cmd{
		Path:        path,
		Args:        spec.Command,
		Dir:         spec.Dir,
		Env:         append(append(make([]string, 0, len(spec.Env)+1), spec.Env...), marker+"="+s.record.token),
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // its own session: no terminal's signals reach it
	}
	if spec.Terminal != nil {
		s.cmd.SysProcAttr.Setctty = true // of the descriptor 0
	}
	pipes, err := stdio.Open(spec)
	if err != nil {
		return err
	}
	s.pipes = pipes
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = pipes.Theirs[0], pipes.Theirs[1], pipes.Theirs[2]
	if err := s.cmd.Start(); err != nil {
		pipes.Close()
		return err
	}
	s.pid = s.cmd.Process.Pid
	s.born = procfs.BornAt(s.pid)
	pipes.Start()
	return nil
}

// wait sees the sandbox to its end. The rest of the processes is killed while the first is dead but not reaped: until
// then its pid, which is also the name of their group, cannot belong to anyone else.
func (s *sandbox) wait() {
	s.awaitEnd()
	at := time.Now()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.killAll()
	_ = s.cmd.Wait() // an exit status is not an error here
	if status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		s.exit = engine.ExitOf(status, at)
	}
	s.pipes.Finish()
	s.record.remove()
	close(s.done)
}

func (s *sandbox) PID() int { return s.pid }

func (s *sandbox) Done() <-chan struct{} { return s.done }

func (s *sandbox) Exit() engine.Exit { return s.exit }

// Settle implements engine.Settler.
func (s *sandbox) Settle() { s.pipes.Settle() }

// Signal reaches the group at once, and those who left it by looking for them.
func (s *sandbox) Signal(sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %v: not a signal of this system", sig)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	if err := syscall.Kill(-s.pid, number); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process group %d: %w", s.pid, err)
	}
	for _, p := range s.family() {
		if p.Group != s.pid {
			p.Signal(number)
		}
	}
	return nil
}
