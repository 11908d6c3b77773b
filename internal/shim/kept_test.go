package shim_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// closing answers each request on a connection that it does not say it will close, closes that, and says so.
func closing(l net.Listener) {
	for n := 1; ; {
		conn, err := l.Accept()
		if err != nil {
			panic(err)
		}
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil { // it was looked whether it listens
			_ = conn.Close()
			continue
		}
		body, _ := io.ReadAll(r.Body)
		text := fmt.Sprintf("%s %s", r.Method, body)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		_ = conn.Close()
		fmt.Printf("closed connection %d.\n", n)
		n++
	}
}

// TestClosedByServer: a server that closed the connection since the last invocation is asked on another one, whatever the request is.
func TestClosedByServer(t *testing.T) {
	t.Parallel()
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "closing")})
	<-l.Session.Ready()
	url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
	for n := 1; n <= 20; n++ {
		want := fmt.Sprintf("POST body %d", n)
		if status, body := post(t, url, want[len("POST "):]); status != http.StatusOK || body != want {
			t.Errorf("answer %d is %d %q", n, status, body)
		}
		l.Output.Await(t, fmt.Sprintf("closed connection %d.", n))
	}
}

// TestFrozen: an environment that was frozen for longer than its server keeps idle connections does not ask it on one that it is
// about to close. The server is thawed last, so that it finds its timers run out and a request in the connection, if there is one.
func TestFrozen(t *testing.T) {
	t.Parallel()
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "idle")})
	<-l.Session.Ready()
	server := serverOf(t, l)
	url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
	signal := func(pid int, s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if status, body := post(t, url, "first"); status != http.StatusOK {
			t.Fatalf("the first answer is %d %q", status, body)
		}
		signal(l.PID, syscall.SIGSTOP)
		signal(server, syscall.SIGSTOP)
		time.Sleep(2 * idleTime) // the freeze itself
		thawed := make(chan struct{})
		go func() {
			defer close(thawed)
			_ = syscall.Kill(l.PID, syscall.SIGCONT)
			time.Sleep(idleTime / 2) // in which the shim asks
			_ = syscall.Kill(server, syscall.SIGCONT)
		}()
		if status, body := post(t, url, "second"); status != http.StatusOK || !strings.HasSuffix(body, "second") {
			t.Errorf("after the freeze the answer is %d %q", status, body)
		}
		<-thawed
	}
}

func post(t *testing.T, url, text string) (int, string) {
	t.Helper()
	r, err := http.Post(url+"/", "text/plain", strings.NewReader(text))
	return whole(t, r, err)
}
