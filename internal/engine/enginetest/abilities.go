package enginetest

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
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
	address := "127.0.0.1:9001"
	if !e.Layout("", "").OwnNetwork {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address = l.Addr().String()
		_ = l.Close()
	}
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
