// Package enginetest is the contract suite of engines: Run checks one against what package engine promises. Its children
// are the test binary itself, started again to act as a user's program (see Child); TestMain calls Main.
package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// patience bounds every wait for something that happens at once on an idle machine.
const patience = 20 * time.Second

// Run checks e.
func Run(t *testing.T, e engine.Engine) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, engine.Engine)
	}{
		{"it has a name and says what it isolates", testNames},
		{"output, input, directory and environment are as told", testStreams},
		{"the end is told as it was", testExit},
		{"what cannot be started is an error that says why", testCannotStart},
		{"a sandbox outlives the context of its start", testOutlives},
		{"signals end it, and are harmless after", testSignal},
		{"descendants end with it", testDescendants},
		{"a writer that blocks or fails does not block it", testWriters},
		{"lossless output waits for its writer", testLossless},
		{"a reader that never returns does not hold up the end", testStuckReader},
		{"listeners are found and dialled", testListeners},
		{"it tells nothing of other sandboxes", testOthers},
		{"what is frozen does nothing until it is thawed", testFreezer},
		{"what it uses is told", testMeter},
		{"a service is there from the start", testService},
		{"what is at /opt is read and run", testOpt},
		{"what was printed is there once it has settled", testSettler},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, e) })
	}
}

func testNames(t *testing.T, e engine.Engine) {
	if e.Name() == "" || e.Isolation() == "" || strings.Contains(e.Isolation(), "\n") {
		t.Errorf("name %q, isolation %q", e.Name(), e.Isolation())
	}
}

func testStreams(t *testing.T, e engine.Engine) {
	out, _, exit := run(t, e, engine.Spec{Command: Child("echo", "a b", "c"), Stdin: strings.NewReader("input")})
	if out != "a b c\ninput" || exit.Status != 0 {
		t.Errorf("echo: %q, exit %+v", out, exit)
	}
	out, _, _ = run(t, e, engine.Spec{Command: Child("env"), Env: []string{"A=1", "B=x y"}})
	lines := strings.Split(strings.TrimSpace(out), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "ALOFT_SANDBOX=") })
	if slices.Sort(lines); !slices.Equal(lines, []string{"A=1", "B=x y"}) {
		t.Errorf("environment is %q", lines)
	}
	tree := t.TempDir()
	write(t, filepath.Join(tree, "bin", "where"), "#!/bin/sh\npwd\n", 0o755)
	dir := e.Layout(tree, "").Tree
	for _, command := range []string{"./bin/where", "where"} {
		out, _, _ = run(t, e, engine.Spec{Command: []string{command}, Tree: tree, Dir: dir, Env: []string{"PATH=" + filepath.Join(dir, "bin")}})
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			real = dir // it is there for the sandbox only
		}
		if strings.TrimSpace(out) != real {
			t.Errorf("%s ran in %q, not in %q", command, out, dir)
		}
	}
}

func testExit(t *testing.T, e engine.Engine) {
	_, errOut, exit := run(t, e, engine.Spec{Command: Child("fail", "no luck")})
	if exit.Status != 3 || exit.Signal != 0 || exit.At.IsZero() || errOut != "no luck\n" {
		t.Errorf("fail: exit %+v, stderr %q", exit, errOut)
	}
	_, _, exit = run(t, e, engine.Spec{Command: Child("crash")})
	if exit.Status != -1 || exit.Signal != syscall.SIGKILL {
		t.Errorf("crash: exit %+v", exit)
	}
}

func testCannotStart(t *testing.T, e engine.Engine) {
	tree, private := t.TempDir(), t.TempDir()
	write(t, filepath.Join(tree, "plain"), "hello", 0o644)
	write(t, filepath.Join(tree, "shebang"), "#!/no/such/interpreter -x\n", 0o755)
	write(t, filepath.Join(tree, "windows"), "#!/bin/sh\r\necho\r\n", 0o755)
	write(t, filepath.Join(tree, "garbage"), "hello", 0o755)
	dir := e.Layout(tree, private).Tree
	for _, c := range []struct {
		command, dir, want string
	}{
		{"no-such-program", dir, "no-such-program"},
		{"./missing", dir, "./missing"},
		{"./plain", dir, "not executable"},
		{"./shebang", dir, "/no/such/interpreter"},
		{"./windows", dir, "carriage return"},
		{"./garbage", dir, "not a program"},
		{".", dir, "directory"},
		{"./", dir, "directory"},
		{"./plain", filepath.Join(dir, "gone"), "gone"},
	} {
		s, err := e.Start(t.Context(), engine.Spec{
			ID: "web", Command: []string{c.command}, Tree: tree, Private: private, Dir: c.dir, Env: []string{"PATH=/bin"},
		})
		if err == nil {
			stop(s)
			t.Errorf("%s started", c.command)
			continue
		}
		ae, ok := errors.AsType[*aloft.Error](err)
		if !ok || ae.Code != aloft.Failed || !strings.Contains(ae.Message, c.want) {
			t.Errorf("%s in %s: %v, want a failed error naming %q", c.command, c.dir, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := e.Start(ctx, engine.Spec{Command: Child("hang")}); !errors.Is(err, context.Canceled) {
		stop(s)
		t.Errorf("start with an ended context: %v", err)
	}
}

func testOutlives(t *testing.T, e engine.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &Buffer{}
	s := begin(ctx, t, e, engine.Spec{Command: Child("hang"), Stdout: out})
	out.Await(t, "ready")
	cancel()
	select {
	case <-s.Done():
		t.Error("ended with the context")
	case <-time.After(50 * time.Millisecond):
	}
}

func testSignal(t *testing.T, e engine.Engine) {
	out := &Buffer{}
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("hang"), Stdout: out})
	out.Await(t, "ready")
	send(t, s, syscall.SIGTERM)
	await(t, s)
	if got := s.Exit().Signal; got != syscall.SIGTERM {
		t.Errorf("ended by %v", got)
	}
	send(t, s, syscall.SIGKILL)

	out = &Buffer{}
	s = begin(t.Context(), t, e, engine.Spec{Command: Child("stubborn"), Stdout: out})
	out.Await(t, "ready")
	send(t, s, syscall.SIGTERM)
	select {
	case <-s.Done():
		t.Error("the one who ignores SIGTERM ended")
	case <-time.After(50 * time.Millisecond):
	}
	send(t, s, syscall.SIGKILL)
	await(t, s)
}

func testDescendants(t *testing.T, e engine.Engine) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells who left its session; run the suite there")
	}
	for _, kind := range []string{"fork", "setsid", "leave"} {
		out := &Buffer{}
		token := rand.Text()
		s := begin(t.Context(), t, e, engine.Spec{Command: Child(kind, token), Stdout: out})
		out.Await(t, "\n")
		if kind != "leave" {
			if n := living(token); n < 2 {
				t.Fatalf("%s: %d processes, the test does not see descendants", kind, n)
			}
			send(t, s, syscall.SIGKILL)
		}
		await(t, s)
		if n := living(token); n > 0 {
			t.Errorf("%s: %d processes are alive after the end", kind, n)
		}
	}
}

func testWriters(t *testing.T, e engine.Engine) {
	blocked := make(chan struct{})
	t.Cleanup(func() { close(blocked) })
	for name, w := range map[string]io.Writer{
		"blocks": writerFunc(func(p []byte) (int, error) { <-blocked; return len(p), nil }),
		"fails":  writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe }),
	} {
		s := begin(t.Context(), t, e, engine.Spec{Command: Child("flood", "8"), Stdout: w, Stderr: w})
		await(t, s)
		if s.Exit().Status != 0 {
			t.Errorf("writer that %s: exit %+v", name, s.Exit())
		}
	}
}

func testLossless(t *testing.T, e engine.Engine) {
	var got int
	slow := writerFunc(func(p []byte) (int, error) {
		got += len(p)
		time.Sleep(time.Millisecond)
		return len(p), nil
	})
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("flood", "8"), Stdout: slow, Lossless: true})
	await(t, s)
	if got != 8<<20 {
		t.Errorf("%d bytes arrived of %d", got, 8<<20)
	}
}

func testStuckReader(t *testing.T, e engine.Engine) {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("fail"), Stdin: r})
	await(t, s)
}

func testListeners(t *testing.T, e engine.Engine) {
	tree := t.TempDir()
	write(t, filepath.Join(tree, strings.Repeat("d", 100), "x"), "", 0o644)
	dir := e.Layout(tree, "").Tree
	long := filepath.Join(dir, strings.Repeat("d", 100))
	for _, c := range []struct{ where, dir, want string }{
		{"tcp4:0", "", "127.0.0.1:"},
		{"tcp6:0", "", "[::1]:"},
		{"any:0", "", "[::]:"},
		{"unix:" + filepath.Join(dir, "a.sock"), "", filepath.Join(dir, "a.sock")},
		{"unix:b.sock", dir, filepath.Join(dir, "b.sock")},
		{"unix:c.sock", long, filepath.Join(long, "c.sock")},
		{"unix:@" + filepath.Base(tree) + "-" + t.Name()[:4] + strconv.Itoa(os.Getpid()), "", "@"},
	} {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux tells what a process listens on; run the suite there")
		}
		s := begin(t.Context(), t, e, engine.Spec{Command: Child("listen", c.where), Tree: tree, Dir: c.dir, Stderr: writerFunc(func(b []byte) (int, error) {
			t.Logf("%s: %s", c.where, b)
			return len(b), nil
		})})
		addr := listener(t, s)
		if !strings.HasPrefix(addr.String(), c.want) {
			t.Errorf("%s listens on %s, want %s…", c.where, addr, c.want)
		}
		conn, err := s.Dial(t.Context(), addr)
		if err != nil {
			t.Errorf("dial %s: %v", c.where, err)
			continue
		}
		fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n")
		if answer, _ := io.ReadAll(conn); !bytes.HasSuffix(answer, []byte("hello")) {
			t.Errorf("%s answered %q", c.where, answer)
		}
		_ = conn.Close()
	}
}

func testOthers(t *testing.T, e engine.Engine) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process listens on; run the suite there")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	one := begin(t.Context(), t, e, engine.Spec{Command: Child("listen", "tcp4:0", "tcp4:0")})
	out := &Buffer{}
	two := begin(t.Context(), t, e, engine.Spec{Command: Child("hang"), Stdout: out})
	out.Await(t, "ready")
	eventually(t, "two listeners", func() bool { all, _ := one.Listeners(); return len(all) == 2 })
	if all, err := two.Listeners(); err != nil || len(all) != 0 {
		t.Errorf("a sandbox that does not listen: %v, %v", all, err)
	}
	stop(one)
	if all, err := one.Listeners(); err != nil || len(all) != 0 {
		t.Errorf("an ended sandbox: %v, %v", all, err)
	}
}
