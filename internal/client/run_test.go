package client_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/aloft-run/aloft"
)

func TestRun(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			ctx, ref := t.Context(), aloft.StageRef{App: "shop", Stage: "staging"}
			run := func(command ...string) (status int, stdout, stderr string, err error) {
				var out, errs bytes.Buffer
				big := strings.NewReader(strings.Repeat("0123456789abcdef", 100_000)) // more than the window
				status, err = s.Run(ctx, aloft.RunInput{Stage: ref, Command: command, Stdin: big, Stdout: &out, Stderr: &errs})
				return status, out.String(), errs.String(), err
			}
			if _, _, _, err := run("cat"); aloft.ErrorCode(err) != aloft.NotFound {
				t.Errorf("run without a stage returns %v, want not found", err)
			}
			if _, err := s.Deploy(ctx, input(source(t, "server")), aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			if _, out, _, err := run("cat"); err != nil || out != strings.Repeat("0123456789abcdef", 100_000) {
				t.Errorf("cat copies %d bytes, %v", len(out), err)
			}
			if status, out, errs, err := run("exit", "7"); status != 7 || out != "" || errs != "bye\n" || err != nil {
				t.Errorf("exit 7: status %d, stdout %q, stderr %q, %v", status, out, errs, err)
			}
			if _, _, _, err := run("nope"); aloft.ErrorCode(err) != aloft.Failed {
				t.Errorf("an unknown program returns %v, want failed", err)
			}
		})
	}
}

func TestCancelEndsTheCommand(t *testing.T) {
	for name, s := range both(t) {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			started := writer(func(p []byte) (int, error) { cancel(); return len(p), nil })
			_, err := s.Run(ctx, aloft.RunInput{Stage: input("").Stage, Command: []string{"hang"}, Stdout: started})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a canceled command returns %v", err)
			}
		})
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestRunOnTerminal(t *testing.T) {
	c := serve(t, t.TempDir())
	if _, err := c.Deploy(t.Context(), input(source(t, "server")), aloft.Discard{}); err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v; mount /dev/pts", err)
	}
	defer ours.Close()
	defer theirs.Close()
	if err := pty.Setsize(ours, &pty.Winsize{Rows: 33, Cols: 111}); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	status, err := c.Run(t.Context(), aloft.RunInput{
		Stage: input("").Stage, Command: []string{"tty"}, Stdout: &out, Terminal: &aloft.Terminal{File: theirs, Type: "vt100"},
	})
	if status != 0 || err != nil || !strings.Contains(out.String(), "vt100 33x111 typed\r\n") {
		t.Errorf("status %d, %v, output %q", status, err, out.String())
	}
}
