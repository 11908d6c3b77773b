package enginetest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/porttest"
)

// laterTime is long for what happens at once, and short for a test in which nothing must happen.
const laterTime = 100 * time.Millisecond

func testFreezer(t *testing.T, e engine.Engine) {
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("listen", "tcp4:0")})
	freezer, ok := s.(engine.Freezer)
	if !ok {
		t.Skip("sandboxes of this engine cannot be frozen; nothing to install")
	}
	for range 2 { // it can be done again
		testCycle(t, s, freezer)
	}
	if err := freezer.Freeze(); err != nil {
		t.Fatal(err)
	}
	send(t, s, syscall.SIGKILL)
	await(t, s)
	if freezer.Freeze() != nil || freezer.Thaw() != nil {
		t.Error("freezing what has ended is not harmless")
	}
}

// testCycle freezes and thaws, each twice: that is harmless.
func testCycle(t *testing.T, s engine.Sandbox, freezer engine.Freezer) {
	t.Helper()
	conn, err := s.Dial(t.Context(), listener(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(freezer.Freeze(), freezer.Freeze()); err != nil {
		t.Fatal(err)
	}
	answer := ask(conn)
	select {
	case got := <-answer:
		t.Errorf("while frozen it answered %q", got)
	case <-time.After(laterTime):
	}
	if err := errors.Join(freezer.Thaw(), freezer.Thaw()); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-answer:
		if !strings.HasSuffix(got, "hello") {
			t.Errorf("thawed, it answered %q", got)
		}
	case <-time.After(patience):
		t.Fatal("thawed, it does not answer")
	}
}

// ask makes a request and passes on the whole answer once it is there.
func ask(conn net.Conn) <-chan string {
	answer := make(chan string, 1)
	go func() {
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		all, _ := io.ReadAll(conn)
		answer <- string(all)
	}()
	return answer
}

func testMeter(t *testing.T, e engine.Engine) {
	s := begin(t.Context(), t, e, engine.Spec{
		Command: []string{"/bin/sh", "-c", `x=1; while :; do x=$x; done & exec sleep 1000`}, Env: []string{"PATH=/bin:/usr/bin"},
	})
	meter, ok := s.(engine.Meter)
	if !ok {
		t.Skip("sandboxes of this engine do not tell what they use; nothing to install")
	}
	// an engine may count a process of its own that is in the sandbox
	eventually(t, "two processes that use memory and the processor", func() bool {
		u, err := meter.Usage()
		if err != nil {
			t.Fatal(err)
		}
		return u.Processes >= 2 && u.Memory > 0 && u.CPU > 0
	})
}

// testService: the command reaches what its starter listens on at once, and that is not taken for the command's own.
func testService(t *testing.T, e engine.Engine) {
	address := serviceAddress(t, e)
	var own []net.Addr
	service := &engine.Service{Address: address, Take: func(l net.Listener) {
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "at your service")
			_ = conn.Close()
			_ = l.Close()
		}()
	}}
	out := &Buffer{}
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("dial", address), Stdout: out, Stderr: out, Services: []*engine.Service{service}})
	if runtime.GOOS == "linux" {
		own, _ = s.Listeners()
	}
	out.Await(t, "at your service")
	if len(own) > 0 {
		t.Errorf("it is taken for the command's own: %v", own)
	}
}

// testOpt: where an engine shows a sandbox its own files only, they are at /opt and cannot be changed.
func testOpt(t *testing.T, e engine.Engine) {
	tree, opt := t.TempDir(), t.TempDir()
	write(t, filepath.Join(opt, "bin", "say"), "#!/bin/sh\ncat \"${0%/*}/../lib/word\"; echo more 2>/dev/null >>\"${0%/*}/../lib/word\" && echo written\n", 0o755)
	write(t, filepath.Join(opt, "lib", "word"), "found\n", 0o644)
	layout := e.Layout(tree, "")
	at, want := cmp.Or(layout.Opt, opt), "found\n"
	if layout.Opt == "" && e.Level() == engine.Separate {
		want += "written\n" // it could change any file of its user
	}
	spec := engine.Spec{Command: []string{"say"}, Tree: tree, Opt: opt, Dir: layout.Tree, Env: []string{"PATH=/bin:/usr/bin:" + at + "/bin"}}
	out, errOut, exit := run(t, e, spec)
	if out != want {
		t.Errorf("it printed %q, %q, exit %+v, want %q", out, errOut, exit, want)
	}
	spec.Opt = ""
	if s, err := e.Start(t.Context(), spec); layout.Opt != "" && err == nil {
		stop(s)
		t.Error("it is there for a sandbox that was not given it")
	}
}

// serviceAddress is one at which a command may be given a service.
func serviceAddress(t *testing.T, e engine.Engine) string {
	t.Helper()
	if e.Layout("", "").OwnNetwork {
		return "127.0.0.1:9001"
	}
	return porttest.Address(t)
}

// testSettler: a command prints a line and says so by another way, many times. Each time the line must be there.
func testSettler(t *testing.T, e engine.Engine) {
	const lines = 300
	listeners := make(chan net.Listener, 1)
	service := &engine.Service{Address: serviceAddress(t, e), Take: func(l net.Listener) { listeners <- l }}
	out := &Buffer{}
	s := begin(t.Context(), t, e, engine.Spec{Command: Child("tell", service.Address, strconv.Itoa(lines)), Stdout: out, Stderr: out, Services: []*engine.Service{service}})
	settler, ok := s.(engine.Settler)
	if !ok {
		t.Skip("output of sandboxes of this engine cannot be waited for; nothing to install")
	}
	l := <-listeners
	defer l.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := make([]byte, 1)
	for i := range lines {
		if _, err := conn.Read(b); err != nil {
			t.Fatal(err)
		}
		settler.Settle()
		if want := fmt.Sprintf("line %d\n", i); !strings.HasSuffix(out.String(), want) {
			t.Fatalf("%q is not there: %q", want, out.String())
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	<-s.Done()
	settler.Settle() // harmless
}
