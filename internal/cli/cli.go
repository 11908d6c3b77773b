// Package cli is the command line: one file per command. It is the only package that knows the environment, the terminal
// and the concrete types the server is made of. Commands speak to the server through package client alone; only serve
// touches the state.
//
// Exit status: 0 it worked; 1 it failed; 2 the input was wrong (a flag, a name, a file, something that does not exist);
// 130 it was interrupted. The command run ends with the status of what it ran.
//
// Results go to standard output, everything else to standard error. With --json standard output holds one JSON value: the
// result, or {"error": {"code", "message", "hint", "detail"}}; logs --follow alone writes one object a line.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	artifacts "github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/attack"
	"github.com/aloft-run/aloft/internal/gateway"
)

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitInput       = 2
	exitInterrupted = 130
)

// Process is what a command gets of the process it runs in.
type Process struct {
	Args   []string // without the program's name
	Env    []string // "K=V"
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	// WrapPut, if not nil, changes how a server stores artifacts. Tests of durability put a fault there.
	WrapPut func(put PutFunc) PutFunc
	// WrapInvoker, likewise, changes how a server takes events.
	WrapInvoker func(aloft.Invoker) aloft.Invoker
	// Limits bound the gateway of a server. Zero fields take their defaults; tests set others.
	Limits gateway.Limits
	// AWSPatience is how long AWS may take to begin an answer; 0 means half a minute. Tests have less.
	AWSPatience time.Duration
}

// PutFunc stores an artifact, as artifact.Store's Put does.
type PutFunc = func(ctx context.Context, archive *artifacts.Archive) (aloft.Artifact, error)

// Main runs the command that process names and returns its exit status. The first SIGINT or SIGTERM cancels it.
func Main(ctx context.Context, process Process) int {
	if len(process.Args) > 0 && process.Args[0] == attack.Word { // see doctor_attack.go
		return attack.Main(process.Args[1:], process.Stdout)
	}
	p := newProgram(process)
	root := newRoot(p)
	root.SetArgs(append([]string{}, process.Args...))
	ctx, stop := interruptible(ctx)
	defer stop()
	return p.finish(ctx, root.ExecuteContext(ctx))
}

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// interruptible returns a context that the first signal cancels. The second ends the process as signals do.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
		signal.Stop(signals)
	}()
	return ctx, func() { cancel(nil) }
}

func interrupted(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errInterrupted) }

// exitError is a command's own exit status. Nothing is printed for it.
type exitError struct{ status int }

func (e *exitError) Error() string { return "exit status" }

// finish prints err and returns the exit status for it.
func (p *program) finish(ctx context.Context, err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.status
	}
	if err == nil {
		if interrupted(ctx) {
			return exitInterrupted
		}
		return exitOK
	}
	if interrupted(ctx) && (errors.Is(err, context.Canceled) || aloft.ErrorCode(err) == aloft.Canceled) {
		err = aloft.Errorf(aloft.Canceled, "interrupted")
	}
	p.printError(err)
	return exitStatus(aloft.ErrorCode(err))
}

// exitStatus is the table of codes and exit statuses.
func exitStatus(code aloft.Code) int {
	switch code {
	case "":
		return exitOK
	case aloft.Invalid, aloft.NotFound:
		return exitInput
	case aloft.Canceled:
		return exitInterrupted
	default:
		return exitFailed
	}
}

// newCommand completes what all commands share: cobra prints neither errors nor usage, we do.
func newCommand(c cobra.Command) *cobra.Command {
	c.SilenceErrors, c.SilenceUsage = true, true
	c.DisableFlagsInUseLine = true
	return &c
}
