package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/events"
	"github.com/aloft-run/aloft/internal/handover"
)

// overdue is how long after its limit a server that should say why it is not ready is given up.
const overdue = 5 * time.Second

// next is the server that takes this one's place.
type next struct {
	conn     *handover.Conn
	cmd      *exec.Cmd
	messages chan handover.Message // closed at its end
	ended    chan struct{}         // closed when the process is reaped
	said     func() string         // the end of what it printed
	alone    []aloft.StageRef      // stages that it starts when ours have ended
}

// startNext starts the server's program again. It serves nothing yet.
func (s *server) startNext(limit time.Duration, marks events.Marks) (*next, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the aloft program: %w", err)
	}
	conn, theirs, err := handover.Pair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	n := &next{conn: conn, messages: make(chan handover.Message), ended: make(chan struct{}), said: func() string { return "" }}
	// Its context is its own: it outlives this server.
	n.cmd = exec.CommandContext(context.Background(), program, s.args...)
	for k, v := range s.env {
		n.cmd.Env = append(n.cmd.Env, k+"="+v)
	}
	const first = 3 // of ExtraFiles
	n.cmd.Env = append(n.cmd.Env, handoverEnv+"="+strconv.Itoa(first))
	n.cmd.ExtraFiles = []*os.File{theirs}
	n.cmd.Stdout, n.cmd.Stderr = os.Stdout, os.Stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's Ctrl-C is ours to pass on
	if s.background {
		n.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		n.said = tailOf(serverLog(s.home))
	}
	if err := n.cmd.Start(); err != nil {
		_ = conn.Close()
		return nil, aloft.Errorf(aloft.Failed, "%s cannot be started: %w", program, err)
	}
	go func() {
		_ = n.cmd.Wait() // its end is seen by the conversation's
		close(n.ended)
	}()
	go n.listen()
	return n, s.greet(n, limit, marks)
}

// greet tells it what there is, with the descriptors that it needs.
func (s *server) greet(n *next, limit time.Duration, marks events.Marks) error {
	serving, alone := s.platform.Serving()
	n.alone = alone
	hello := &handover.Greeting{
		Protocol: handover.Protocol, Version: thisVersion().Version, Second: s.names.second, Parent: s.parents(), Limit: limit,
		Files: []string{"lock", "api"}, Serving: serving, Alone: alone, Sources: marks,
	}
	files := []syscall.Conn{s.lock, s.listener}
	listeners := s.gateway.Listeners()
	if listeners.HTTP != nil {
		hello.Files, files = append(hello.Files, "http"), append(files, listeners.HTTP)
	}
	if listeners.HTTPS != nil {
		hello.Files, files = append(hello.Files, "https"), append(files, listeners.HTTPS)
	}
	return n.conn.Send(handover.Message{Kind: handover.Hello, Hello: hello}, files...)
}

func (n *next) listen() {
	defer close(n.messages)
	for {
		m, _, err := n.conn.Receive()
		if err != nil {
			return
		}
		n.messages <- m
	}
}

// expect waits for a message.
func (n *next) expect(ctx context.Context, kind string) (handover.Message, error) {
	select {
	case m, ok := <-n.messages:
		switch {
		case ok && m.Kind == kind:
			return m, nil
		case ok && m.Kind == handover.Failed:
			return m, errors.New(m.Error)
		case ok:
			return m, fmt.Errorf("the new server says %q instead of %q", m.Kind, kind)
		}
		return m, n.end()
	case <-ctx.Done():
		return handover.Message{}, fmt.Errorf("no answer from the new server: %w", context.Cause(ctx))
	}
}

// end says how the process ended that has closed its socket.
func (n *next) end() error {
	select {
	case <-n.ended:
		return fmt.Errorf("the new server ended: %s", n.cmd.ProcessState)
	case <-time.After(overdue):
		return errors.New("the new server does not talk to this one: is it aloft?")
	}
}

// kill ends it, if it is there, and returns when it is gone.
func (n *next) kill() {
	if n == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	<-n.ended
	_ = n.conn.Close()
	for range n.messages { // what it still said
	}
}
