package namespace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/procfs"
	"github.com/aloft-run/aloft/internal/engine/stdio"
)

var (
	_ engine.Sandbox  = (*sandbox)(nil)
	_ engine.Idler    = (*sandbox)(nil)
	_ engine.Freezer  = (*sandbox)(nil)
	_ engine.Meter    = (*sandbox)(nil)
	_ engine.Listener = (*sandbox)(nil)
	_ engine.Settler  = (*sandbox)(nil)
)

type sandbox struct {
	*seed
	command int // its process id, as the machine sees it
	spec    engine.Spec
	pipes   *stdio.Pipes

	diag  int // socket diagnosis of the sandbox's network; 0 before it was needed, -1 after the end
	count netCount

	mu     sync.Mutex
	frozen bool
	hungry bool // it wanted more memory than it may have, and was killed for it

	done chan struct{}
	exit engine.Exit
}

// grow makes a seed the sandbox of spec and starts the command in it.
func (e *Engine) grow(seed *seed, spec engine.Spec, path string) (*sandbox, error) {
	s := &sandbox{seed: seed, spec: spec, done: make(chan struct{})}
	err := s.begin(path)
	if err != nil {
		if s.pipes != nil {
			s.pipes.Close()
		}
		seed.end()
		s.free()
		return nil, err
	}
	s.pipes.Start()
	go s.wait()
	s.watchMemory()
	return s, nil
}

// Settle implements engine.Settler.
func (s *sandbox) Settle() { s.pipes.Settle() }

func (s *sandbox) begin(path string) (err error) {
	if s.group != nil {
		if err := s.group.Limit(s.spec.Limits); err != nil {
			return err
		}
	}
	if s.way != nil {
		if err := s.way.Allow(s.spec.Network); err != nil {
			return err
		}
	}
	for _, service := range s.spec.Services {
		if service.Take == nil {
			continue
		}
		l, err := s.Listen(context.Background(), "tcp", service.Address)
		if err != nil {
			return err
		}
		service.Take(l)
	}
	if s.pipes, err = stdio.Open(s.spec); err != nil {
		return err
	}
	steps := s.script()
	for _, f := range s.pipes.Theirs {
		steps.pass(f)
	}
	s.showGroup(steps)
	s.engine.own(steps, s.spec)
	terminal := ""
	if s.spec.Terminal != nil {
		terminal = "terminal"
	}
	dir := s.spec.Dir
	if dir == "" {
		dir = treeDir
	}
	exec := pid1.Step{pid1.Exec, path, dir, terminal, strconv.Itoa(len(s.spec.Command))}
	steps.add(append(append(exec, s.spec.Command...), s.spec.Env...)...)
	if err := s.life.send(steps); err != nil {
		return err
	}
	return s.started()
}

// started awaits the start of the command.
func (s *sandbox) started() error {
	words, _, err := s.life.read()
	if err != nil {
		return fmt.Errorf("%w%s", err, s.complaint())
	}
	if err := failureIn(words, pid1.Started); err != nil {
		return err
	}
	// The first process has one child now, but it does not know that child's number outside.
	id := strconv.Itoa(s.pid)
	children, _ := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
	first, _, _ := strings.Cut(strings.TrimSpace(string(children)), " ")
	if s.command, err = strconv.Atoi(first); err != nil {
		s.command = s.pid // it has ended already, or the kernel does not tell
	}
	return nil
}

// wait sees the sandbox to its end.
func (s *sandbox) wait() {
	words, _, err := s.life.read()
	at := time.Now()
	<-s.gone // with the first process all others have ended
	s.mu.Lock()
	hungry := s.hungry
	s.mu.Unlock()
	s.exit = engine.Exit{Status: -1, Signal: syscall.SIGKILL, At: at}
	if err == nil && len(words) == 2 && words[0] == pid1.Ended {
		number, _ := strconv.Atoi(words[1])
		s.exit = engine.ExitOf(syscall.WaitStatus(number), at)
	}
	killed := s.exit.Signal == syscall.SIGKILL || s.exit.Status == killedStatus
	s.exit.OutOfMemory = killed && (hungry || s.group != nil && s.group.OutOfMemory())
	s.pipes.Finish()
	s.free()
	close(s.done)
}

// killedStatus is with what a shell ends whose command was killed.
const killedStatus = 128 + int(syscall.SIGKILL)

// free gives back what the sandbox had.
func (s *sandbox) free() {
	s.life.Close()
	s.service.Close()
	s.calls.Lock()
	if s.diag > 0 {
		_ = syscall.Close(s.diag)
	}
	s.diag = -1
	s.count.close()
	s.calls.Unlock()
	s.leave()
}

func (s *sandbox) PID() int { return s.command }

func (s *sandbox) Done() <-chan struct{} { return s.done }

func (s *sandbox) Exit() engine.Exit { return s.exit }

// Signal implements engine.Sandbox. SIGKILL ends the first process, and with it the kernel everything.
func (s *sandbox) Signal(sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %v: not a signal of this system", sig)
	}
	if number == syscall.SIGKILL {
		s.kill()
		return s.Thaw() // one that is frozen does not die before
	}
	_, err := s.call(pid1.Kill, strconv.Itoa(int(number)))
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// family lists the sandbox's living processes without the first one.
func (s *sandbox) family() []procfs.Process {
	select {
	case <-s.done:
		return nil
	default:
	}
	all := procfs.Members(procfs.All(), func(p procfs.Process) bool { return p.PID == s.pid })
	return slices.DeleteFunc(all, func(p procfs.Process) bool { return p.PID == s.pid })
}

// Idle implements engine.Idler.
func (s *sandbox) Idle() bool {
	family := s.family()
	return len(family) > 0 && !slices.ContainsFunc(family, procfs.Process.Busy)
}
