package enginetest

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
)

// begin starts a sandbox and ends it with the test.
func begin(ctx context.Context, t *testing.T, e engine.Engine, spec engine.Spec) engine.Sandbox {
	t.Helper()
	spec.ID = "test"
	if spec.Private == "" {
		spec.Private = t.TempDir()
	}
	s, err := e.Start(ctx, spec)
	if err != nil {
		t.Fatalf("start %v: %v", spec.Command, err)
	}
	t.Cleanup(func() { stop(s) })
	return s
}

func run(t *testing.T, e engine.Engine, spec engine.Spec) (stdout, stderr string, exit engine.Exit) {
	t.Helper()
	out, errOut := &Buffer{}, &Buffer{}
	spec.Stdout, spec.Stderr = out, errOut
	s := begin(t.Context(), t, e, spec)
	await(t, s)
	return out.String(), errOut.String(), s.Exit()
}

func stop(s engine.Sandbox) {
	_ = s.Signal(syscall.SIGKILL)
	<-s.Done()
}

func send(t *testing.T, s engine.Sandbox, sig os.Signal) {
	t.Helper()
	if err := s.Signal(sig); err != nil {
		t.Errorf("signal %v: %v", sig, err)
	}
}

func await(t *testing.T, s engine.Sandbox) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the sandbox does not end")
	}
}

func listener(t *testing.T, s engine.Sandbox) net.Addr {
	t.Helper()
	var found []net.Addr
	eventually(t, "a listener", func() bool {
		var err error
		if found, err = s.Listeners(); err != nil {
			t.Fatal(err)
		}
		return len(found) > 0
	})
	return found[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// living counts the processes that have token among their arguments.
func living(token string) int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	n := 0
	for _, f := range files {
		if line, _ := os.ReadFile(f); bytes.Contains(line, []byte(token)) {
			n++
		}
	}
	return n
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Buffer collects output while others look at it.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Await waits until text was written.
func (b *Buffer) Await(t *testing.T, text string) {
	t.Helper()
	eventually(t, "output "+strconv.Quote(text), func() bool { return strings.Contains(b.String(), text) })
}
