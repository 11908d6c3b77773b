package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// start runs a command in a process of its own; the test binary behaves as aloft there.
func (b *bench) start(source string, args ...string) (c *exec.Cmd, stdout *bytes.Buffer, stderr io.Reader) {
	b.t.Helper()
	c = exec.CommandContext(b.t.Context(), os.Args[0], append([]string{"-C", filepath.Join(b.dir, source)}, args...)...)
	c.Env = append(b.env, asAloft+"=1")
	stdout = &bytes.Buffer{}
	c.Stdout = stdout
	stderr, err := c.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := c.StdinPipe(); err != nil { // stays open: nobody answers
		b.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	return c, stdout, stderr
}

// interruptAt sends SIGINT once the command has written text to standard error; it returns what was written, and the status.
func (b *bench) interruptAt(text string, c *exec.Cmd, stderr io.Reader) (said string, status int) {
	b.t.Helper()
	r := bufio.NewReader(stderr)
	for !strings.Contains(said, text) {
		char, err := r.ReadByte()
		if err != nil {
			b.t.Fatalf("it ended without saying %q: %s", text, said)
		}
		said += string(char)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		b.t.Fatal(err)
	}
	rest, _ := io.ReadAll(r)
	err := c.Wait()
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		b.t.Fatalf("it ended with %v: %s%s", err, said, rest)
	}
	return said + string(rest), e.ExitCode()
}

func TestInterruptedDeploySaysWhereThingsAre(t *testing.T) {
	b := newBench(t)
	c, stdout, stderr := b.start("slow", "up")
	said, status := b.interruptAt("waiting", c, stderr)
	if status != 130 || stdout.Len() > 0 || !strings.Contains(said, "interrupted: slow/staging has no release") ||
		!strings.Contains(said, "aloft: interrupted\n") {
		t.Errorf("status %d, stdout %q, stderr %s", status, stdout, said)
	}
	if err := os.Remove(filepath.Join(b.dir, "slow", "slow")); err != nil {
		t.Fatal(err)
	}
	b.source("slow", "server")
	b.ok("up", "-C", filepath.Join(b.dir, "slow"))
	b.source("slow", "slow")
	c, _, stderr = b.start("slow", "up")
	if said, _ := b.interruptAt("waiting", c, stderr); !strings.Contains(said, "interrupted: slow/staging is at v1") {
		t.Errorf("it says %s", said)
	}
}

func TestInterruptTooLateTellsTheRelease(t *testing.T) {
	b := newBench(t)
	b.source("late", "late")
	c, stdout, stderr := b.start("late", "up")
	said, status := b.interruptAt("waiting", c, stderr)
	if status != 130 || !strings.Contains(stdout.String(), "http://late-staging") || !strings.Contains(said, "late/staging is at v1") {
		t.Errorf("status %d, stdout %q, stderr %s", status, stdout, said)
	}
}

func TestInterruptAtQuestion(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	c, _, stderr := b.start("shop", "destroy")
	if said, status := b.interruptAt("[y/N]", c, stderr); status != 130 {
		t.Errorf("status %d: %s", status, said)
	}
	if out := b.ok("url"); out == "" {
		t.Error("the app is gone")
	}
}

func TestInterruptEndsRunAndFollow(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	for _, args := range [][]string{{"run", "--", "hang"}, {"logs", "--follow"}} {
		c := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-C", filepath.Join(b.dir, "shop")}, args...)...)
		c.Env = append(b.env, asAloft+"=1")
		stdout, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if said, status := b.interruptAt("\n", c, stdout); status != 130 {
			t.Errorf("%s: status %d: %s", args[0], status, said)
		}
	}
}
