// Package aloftest runs the whole product in tests: the aloft command and its server as processes of their own, in a home
// of their own. The test binary plays the command itself, so nothing has to be built or installed first.
package aloftest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/attack"
	"github.com/aloft-run/aloft/internal/cli"
	"github.com/aloft-run/aloft/internal/porttest"
)

// part is the environment variable that makes a test binary play the command. Its value names a variant.
const part = "ALOFTEST_PART"

// Standard is the variant that users run.
const Standard = "standard"

// Main runs the tests of m, or the aloft command if the binary was started as one. Variants are commands with seeded
// faults, by name; they may be nil. TestMain must do nothing else that the command would notice.
func Main(m *testing.M, variants map[string]func(*cli.Process)) {
	name := os.Getenv(part)
	if name == "" && !slices.Contains(os.Args, attack.Word) { // in a sandbox, doctor's probes have no such environment
		os.Exit(m.Run())
	}
	process := cli.Process{Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if variant := variants[name]; variant != nil {
		variant(&process)
	}
	os.Exit(cli.Main(context.Background(), process))
}

// World is a home with a server that may be started, killed and started again at the same address.
type World struct {
	Home    string
	Addr    string   // of the gateway
	Variant string   // which command serves; see Main
	HTTPS   string   // address of the gateway for TLS; "" for none
	Program string   // the aloft command, if it is not this test binary
	Env     []string // more of its environment

	mu     sync.Mutex
	server *exec.Cmd
	ended  chan struct{}
	log    *Output
}

// New makes a home. Whatever runs in it is ended with the test.
func New(t *testing.T) *World {
	t.Helper()
	w := &World{Home: filepath.Join(t.TempDir(), "home"), Addr: porttest.Address(t), Variant: Standard}
	t.Cleanup(func() { w.Stop() })
	return w
}

// KeepCaches keeps what builds fetch in a directory that outlives the test. Call it before Serve.
func (w *World) KeepCaches(t *testing.T, dir string) {
	t.Helper()
	err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Join(w.Home, "deploy"), 0o700))
	if err == nil {
		err = os.Symlink(dir, filepath.Join(w.Home, "deploy", "cache"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Command is the aloft command with this home, to be run in dir.
func (w *World) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	program := self
	if w.Program != "" {
		program = w.Program
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	path := os.Getenv("PATH") + string(filepath.ListSeparator) + filepath.Dir(self) // apps may be this binary: they must see it
	cmd.Env = append(os.Environ(), part+"="+w.Variant, "ALOFT_HOME="+w.Home, "ALOFT_HTTP="+w.Addr, "PATH="+path)
	cmd.Env = append(cmd.Env, w.Env...)
	return cmd
}

// Serve starts the server and waits until its API listens.
func (w *World) Serve(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = &Output{}
	w.server = w.Command(context.Background(), "/", "serve", "--https", w.HTTPS)
	w.server.Stdout, w.server.Stderr = w.log, w.log
	w.server.WaitDelay = 30 * time.Second // a server that it was replaced by may have its output
	if err := w.server.Start(); err != nil {
		t.Fatal(err)
	}
	w.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(w.server, w.ended)
	Eventually(t, time.Minute, func() error {
		select {
		case <-w.ended:
			t.Fatalf("the server ended:\n%s", w.log)
		default:
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", filepath.Join(w.Home, "aloft.sock"))
		if err != nil {
			return fmt.Errorf("%w; its log:\n%s", err, w.log)
		}
		return conn.Close()
	})
}

// Kill ends the server without a warning and returns when it is gone.
func (w *World) Kill() { w.signal(syscall.SIGKILL) }

// Stop ends the server as an operator would and returns when it is gone. It is harmless if none runs.
func (w *World) Stop() { w.signal(syscall.SIGTERM) }

func (w *World) signal(sig syscall.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server == nil {
		return
	}
	_ = w.server.Process.Signal(sig) // it may have ended by itself
	<-w.ended
	w.server = nil
}

// Log is what the server has printed since it was started last.
func (w *World) Log() string { return w.log.String() }

// Output is a buffer that a process writes and a test reads.
type Output struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write never fails.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Eventually waits until check returns nil, and fails the test with its error if that takes too long.
func Eventually(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", limit, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
