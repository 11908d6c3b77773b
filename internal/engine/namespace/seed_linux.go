package namespace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/namespace/cgroup"
	"github.com/aloft-run/aloft/internal/engine/pid1"
	"github.com/aloft-run/aloft/internal/engine/resolver"
)

// seed is a sandbox of which only the first process runs.
type seed struct {
	engine  *Engine
	cmd     *exec.Cmd
	pid     int
	user    *user
	group   *cgroup.Group // nil without control groups
	life    *link         // what to do, and how it went
	service *link
	errors  *bytes.Buffer // what the first process complains about; it should not
	gone    chan struct{} // closed when the first process, and with it all others, is reaped

	calls sync.Mutex      // one request of the service link at a time
	own   []string        // addresses on which the engine listens in the sandbox
	way   way             // to the Internet; nil if there is none
	names *resolver.Relay // nil if there is no way
}

// capabilities are what the first process needs inside: to bind reserved ports, to signal, to configure the network, to look
// at the network's packets, to give up capabilities, and to mount.
func capabilities() []uintptr {
	return []uintptr{unix.CAP_NET_BIND_SERVICE, unix.CAP_KILL, unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_SETPCAP, unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE}
}

const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET

// newSeed starts a first process and lets it begin with what all sandboxes have in common.
func (e *Engine) newSeed() (*seed, error) {
	user, err := e.users.take()
	if err != nil {
		return nil, err
	}
	s := &seed{engine: e, user: user, errors: &bytes.Buffer{}, gone: make(chan struct{})}
	if err := s.start(); err != nil {
		e.users.give(user)
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		e.users.give(user)
		close(s.gone)
	}()
	steps := s.script()
	e.common(steps)
	if err = s.life.send(steps); err == nil {
		err = s.join()
	}
	if err == nil {
		err = s.life.expect(pid1.Done)
	}
	if err == nil {
		err = s.connect()
	}
	if err != nil {
		s.end()
		return nil, fmt.Errorf("%w%s", err, s.complaint())
	}
	return s, nil
}

func (s *seed) script() *script { return &script{root: s.engine.users.root, owners: s.user.owners} }

// join gives the first process a control group, where there are any.
func (s *seed) join() (err error) {
	if s.engine.groups == nil {
		return nil
	}
	if s.group, err = s.engine.groups.New(s.engine.next()); err != nil {
		return err
	}
	return s.group.Add(s.pid)
}

// showGroup shows the sandbox its control group, and no other, as if it were the machine's: Java, Node.js and others size
// themselves by it.
func (s *seed) showGroup(steps *script) {
	if s.group == nil {
		return
	}
	for path, dir := range s.group.Shown() {
		steps.bind(dir, stage+path, readOnly|pid1.NoExec)
	}
	steps.add(pid1.Groups)
}

// connect gives the sandbox a way to the Internet and a resolver, where the machine has such ways.
func (s *seed) connect() (err error) {
	if s.way, err = s.engine.outside(s); err != nil || s.way == nil {
		return err
	}
	return s.resolve()
}

// resolve lets the engine answer the sandbox's questions for names.
func (s *seed) resolve() error {
	address := net.JoinHostPort(resolverHost, "53")
	datagrams, err := s.bind(unix.SOCK_DGRAM, "udp", address)
	if err != nil {
		return err
	}
	defer datagrams.Close()
	packets, err := net.FilePacketConn(datagrams)
	if err != nil {
		return fmt.Errorf("answer for names in a sandbox: %w", err)
	}
	streams, err := s.Listen(context.Background(), "tcp", address)
	if err != nil {
		_ = packets.Close()
		return err
	}
	s.names = resolver.Serve(packets, streams, s.engine.servers)
	return nil
}

func (s *seed) start() error {
	group := s.user.id
	if !s.engine.users.root {
		group = os.Getgid()
	}
	s.cmd = &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{"aloft-sandbox"}, Dir: "/",
		Env:    []string{pid1.Env + "=1", "GOMAXPROCS=1", "GOGC=off"},
		Stderr: s.errors,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:                 namespaces,
			UidMappings:                []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: s.user.id, Size: 1}},
			GidMappings:                []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: group, Size: 1}},
			GidMappingsEnableSetgroups: s.engine.users.root,
			Credential:                 &syscall.Credential{Uid: insideUser, Gid: insideUser, NoSetGroups: !s.engine.users.root},
			AmbientCaps:                capabilities(),
			Setsid:                     true,
		},
	}
	for _, side := range []**link{&s.life, &s.service} {
		ours, theirs, err := newLink()
		if err != nil {
			return err
		}
		defer theirs.Close()
		*side = ours
		s.cmd.ExtraFiles = append(s.cmd.ExtraFiles, theirs)
	}
	if err := s.cmd.Start(); err != nil {
		s.life.Close()
		s.service.Close()
		return explainStart(err)
	}
	s.pid = s.cmd.Process.Pid
	return nil
}

// explainStart says what a machine's refusal to make namespaces means.
func explainStart(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("user namespaces are used up or switched off (sysctl user.max_user_namespaces): %w", err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("this machine does not let its users make user namespaces (sysctl kernel.unprivileged_userns_clone, AppArmor): %w", err)
	}
	return fmt.Errorf("start the first process of a sandbox: %w", err)
}

// alive reports whether the first process is there.
func (s *seed) alive() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

// end ends everything in the sandbox at once and returns when it is gone.
func (s *seed) end() {
	s.kill()
	s.life.Close()
	s.service.Close()
	select {
	case <-s.gone:
	case <-time.After(endTime):
	}
	s.leave()
}

// leave gives back what the machine gave.
func (s *seed) leave() {
	if s.names != nil {
		s.names.Close()
	}
	if s.way != nil {
		if err := s.way.Close(); err != nil {
			s.engine.Logger.Warn("disconnect a sandbox", "error", err)
		}
	}
	if s.group == nil {
		return
	}
	if err := s.group.Remove(); err != nil {
		s.engine.Logger.Warn("end a sandbox", "error", err)
	}
}

// endTime is how long the end of killed processes is waited for; one stuck in the kernel is given up.
const endTime = 10 * time.Second

// kill kills the first process, and with it the kernel all others.
func (s *seed) kill() { _ = s.cmd.Process.Kill() }

// complaint is what the first process wrote.
func (s *seed) complaint() string { return strings.TrimSpace(s.errors.String()) }
