// Package engine is the contract of what starts and stops the processes of instances. An engine holds no policy: it knows
// nothing of releases, routes, retries or requests. Its kinds live below it: process, chaos.
package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Engine starts sandboxes. Every engine passes enginetest.Run.
type Engine interface {
	// Name is the engine's name, such as "process".
	Name() string
	// Isolation says in one honest line what the engine keeps apart and what not.
	Isolation() string
	// Level sums Isolation up.
	Level() Level
	// Layout says where a sandbox finds the directories tree and private of its Spec.
	Layout(tree, private string) Layout
	// Start starts spec.Command and returns once the process exists. It returns an *aloft.Error with code Failed if the
	// command cannot be started (no such program, not executable), saying which. The sandbox outlives ctx.
	Start(ctx context.Context, spec Spec) (Sandbox, error)
}

// Spec is what to start.
type Spec struct {
	ID      string    // names the sandbox in messages
	Command []string  // argument vector; Command[0] is looked up in PATH of Env, or relative to Dir if it has a slash
	Dir     string    // working directory, as the sandbox sees it
	Env     []string  // the whole environment, "K=V"; an engine may add one ALOFT_SANDBOX, by which it knows its own
	Stdin   io.Reader // nil: /dev/null. A Read that never returns outlives the sandbox
	Stdout  io.Writer // always drained; a Writer that blocks or fails never blocks the process. nil: dropped
	Stderr  io.Writer // as Stdout; both may be written to at once

	Tree    string   // directory of the app's files, for engines that show a sandbox its own files only; see Layout
	Private string   // directory of this sandbox alone, emptied by whoever made it; see Layout
	Opt     string   // directory that the sandbox reads at Layout.Opt; "" for none
	Shared  []string // further directories that the sandbox may write, under their own names
	Keep    bool     // what is written to Tree stays there: for builds. Otherwise an isolating engine drops it at the end
	Limits  Limits
	Network Network

	// Services are what the command may connect to.
	Services []*Service

	// Terminal, if not nil, is the command's controlling terminal, and its input and output in place of the three above.
	Terminal *os.File

	// Lossless makes the process wait for slow Writers where its output would be dropped otherwise. It is for one-off
	// commands. The end of the sandbox waits for the Writers too: who sets it sees to it that they return.
	Lossless bool
}

// Service is what a command may connect to at an address of its own network, where it has one, else of the machine's.
type Service struct {
	Address string // TCP, such as "127.0.0.1:9001"
	// Take gets the listener, before the command starts. Whoever gets it closes it. If it is nil somebody listens there
	// already, on the machine's network: only sandboxes that share that reach it.
	Take func(net.Listener)
}

// Listen opens services on the machine's network. It is for engines whose sandboxes share that.
func Listen(ctx context.Context, services []*Service) error {
	for _, s := range services {
		if s.Take == nil {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address)
		if err != nil {
			return fmt.Errorf("listen for a sandbox: %w", err)
		}
		s.Take(l)
	}
	return nil
}

// Sandbox is a started command with all its descendants.
type Sandbox interface {
	// PID is the process id of the command.
	PID() int
	// Listeners returns the stream sockets on which the sandbox's processes now listen, TCP of any family and Unix.
	Listeners() ([]net.Addr, error)
	// Dial connects to addr as seen from inside the sandbox.
	Dial(ctx context.Context, addr net.Addr) (net.Conn, error)
	// Signal sends sig to every process of the sandbox. It is harmless after the end.
	Signal(sig os.Signal) error
	// Done is closed when the command has ended and been reaped, and its output is drained (descendants that keep
	// the output open delay it by at most a second). Before it closes all descendants have been killed.
	Done() <-chan struct{}
	// Exit says how the command ended. It is valid once Done is closed.
	Exit() Exit
}

// DatagramLister is an ability of a Sandbox: it tells a server of another kind from one that does not listen.
type DatagramLister interface {
	// Datagrams returns the UDP sockets that the sandbox's processes have bound.
	Datagrams() ([]net.Addr, error)
}

// Idler is an ability of a Sandbox: it tells a program that waits for something from one that still starts, or ends.
type Idler interface {
	// Idle reports whether the command lives and none of the sandbox's threads has anything to do right now.
	Idle() bool
}

// Freezer is an ability of a Sandbox: it stops using the processor until it is thawed. Both are harmless when repeated.
type Freezer interface {
	Freeze() error
	Thaw() error
}

// Meter is an ability of a Sandbox: it says what it uses now.
type Meter interface {
	Usage() (Usage, error)
}

// Settler is an ability of a Sandbox: it tells what was printed before a moment from what was printed after.
type Settler interface {
	// Settle returns when all that the command has written to its output was written to Stdout and Stderr, or after 100 ms.
	Settle()
}

// Listener is an ability of a Sandbox with a network of its own: it listens on an address inside of it.
type Listener interface {
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}

// PortHolder is an ability of an Engine: it names who has a port that a sandbox wanted.
type PortHolder interface {
	// Holder returns the process that listens on a TCP port, false if there is none or it may not be seen.
	Holder(port int) (pid int, name string, ok bool)
}

// Exit says how a command ended.
type Exit struct {
	Status      int            // exit status; -1 if ended by a signal
	Signal      syscall.Signal // 0 unless ended by a signal
	OutOfMemory bool           // killed because it wanted more than Limits.Memory
	At          time.Time
}

// ExitOf reads how a process ended.
func ExitOf(status syscall.WaitStatus, at time.Time) Exit {
	if status.Signaled() {
		return Exit{Status: -1, Signal: status.Signal(), At: at}
	}
	return Exit{Status: status.ExitStatus(), At: at}
}
