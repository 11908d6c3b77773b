package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

var (
	_ engine.Sandbox        = (*sandbox)(nil)
	_ engine.DatagramLister = (*sandbox)(nil)
	_ engine.Idler          = (*sandbox)(nil)
)

// drainTime is how long descendants that cannot be found may keep the output open.
const drainTime = time.Second

type sandbox struct {
	cmd     *exec.Cmd
	pid     int
	born    uint64 // start time in ticks since boot; with pid it names one process for good
	record  record
	streams []*stream
	stdin   io.Closer // our end of the pipe, if there is one

	mu    sync.Mutex // held while signalling, so that the pid is not reused meanwhile
	ended bool

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
	theirs, err := s.connect(spec)
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.disconnect()
		return err
	}
	s.pid = s.cmd.Process.Pid
	s.born = bornAt(s.pid)
	for _, st := range s.streams {
		st.start()
	}
	return nil
}

// connect makes the pipes and returns the process's ends of them.
func (s *sandbox) connect(spec engine.Spec) (theirs []*os.File, err error) {
	if spec.Terminal != nil {
		s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = spec.Terminal, spec.Terminal, spec.Terminal
		return nil, nil
	}
	switch in := spec.Stdin.(type) {
	case nil:
	case *os.File:
		s.cmd.Stdin = in
	default:
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, fmt.Errorf("make a pipe: %w", err)
		}
		theirs, s.cmd.Stdin, s.stdin = append(theirs, r), r, w
		go func() {
			_, _ = io.Copy(w, in) // ends with the process: then the pipe is broken
			_ = w.Close()
		}()
	}
	for _, out := range []struct {
		to   io.Writer
		slot *io.Writer
	}{{spec.Stdout, &s.cmd.Stdout}, {spec.Stderr, &s.cmd.Stderr}} {
		if out.to == nil {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, fmt.Errorf("make a pipe: %w", err)
		}
		theirs, *out.slot = append(theirs, w), w
		s.streams = append(s.streams, newStream(r, out.to, spec.Lossless))
	}
	return theirs, nil
}

// disconnect closes our ends of the pipes of a process that never was.
func (s *sandbox) disconnect() {
	if s.stdin != nil {
		_ = s.stdin.Close()
	}
	for _, st := range s.streams {
		_ = st.from.Close()
	}
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
	s.exit = exitOf(s.cmd.ProcessState, at)
	if s.stdin != nil {
		_ = s.stdin.Close()
	}
	deadline := make(chan struct{})
	timer := time.AfterFunc(drainTime, func() { close(deadline) })
	defer timer.Stop()
	for _, st := range s.streams {
		st.finish(deadline)
	}
	s.record.remove()
	close(s.done)
}

func exitOf(state *os.ProcessState, at time.Time) engine.Exit {
	exit := engine.Exit{Status: state.ExitCode(), At: at}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		exit.Status, exit.Signal = -1, ws.Signal()
	}
	return exit
}

func (s *sandbox) PID() int { return s.pid }

func (s *sandbox) Done() <-chan struct{} { return s.done }

func (s *sandbox) Exit() engine.Exit { return s.exit }

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
		if p.group != s.pid {
			p.signal(number)
		}
	}
	return nil
}
