package shim_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// serial answers one request at a time with its process id, and hangs for good at some.
func serial(l net.Listener) {
	for {
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
		switch {
		case r.URL.Path == "/hang" || strings.Contains(string(body), "hang"):
			fmt.Println("it hangs")
			select {}
		case r.URL.Path == "/halves":
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			select {}
		}
		text := strconv.Itoa(os.Getpid())
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
		_ = conn.Close()
	}
}

// TestHang: a server that hangs does so for one invocation only, be it a request or an event. What it printed is kept.
func TestHang(t *testing.T) {
	t.Parallel()
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "serial"), Timeout: 2 * time.Second})
	<-l.Session.Ready()
	url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
	status, before := get(t, url+"/")
	if status != http.StatusOK {
		t.Fatalf("the first answer is %d", status)
	}
	answersAnew := func(what string) {
		t.Helper()
		status, after := get(t, url+"/")
		if status != http.StatusOK || after == before {
			t.Errorf("after %s the answer is %d, from %s instead of %s", what, status, after, before)
		}
		before = after
	}
	for range 4 { // more than the failures that make an environment hopeless
		if status, _ := get(t, url+"/hang"); status != http.StatusGatewayTimeout {
			t.Errorf("a request at which the server hangs is answered %d", status)
		}
		answersAnew("hanging")
	}
	if status, _ := get(t, url+"/halves"); status != http.StatusGatewayTimeout {
		t.Errorf("half an answer is answered %d", status)
	}
	answersAnew("half an answer")
	reply, err := l.Invoke(t.Context(), []byte(`{"do":"hang"}`))
	if err != nil || reply.Failure == nil || reply.Failure.Type != "Sandbox.Timedout" {
		t.Errorf("an event at which it hangs is answered %+v, %v", reply, err)
	}
	answersAnew("an event")
	l.Output.Await(t, "it hangs")
	if n := strings.Count(l.Output.String(), "is ended and started anew: it did not answer within the function's timeout"); n != 6 {
		t.Errorf("the log says %d times that it was started anew:\n%s", n, l.Output)
	}
}

// TestHangAmongOthers: where invocations come side by side one that takes too long is no reason to end the others, two in a row are.
func TestHangAmongOthers(t *testing.T) {
	t.Parallel()
	l := shimtest.Start(t, shimtest.Function{
		Shim: build(t), Dir: t.TempDir(), Spec: self(t, "port"), Timeout: time.Second, Env: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2"},
	})
	<-l.Session.Ready()
	url := l.Gateway(t, lambdahttp.APIGatewayV2).URL
	server := func() string {
		t.Helper()
		status, pid := get(t, url+"/pid")
		if status != http.StatusOK {
			t.Fatalf("the answer is %d %s", status, pid)
		}
		return pid
	}
	first := server()
	for range 2 {
		if status, _ := get(t, url+"/slow"); status != http.StatusGatewayTimeout {
			t.Errorf("a slow request is answered %d", status)
		}
		if now := server(); now != first {
			t.Errorf("one slow request ended the server: %s instead of %s", now, first)
		}
	}
	for range 2 {
		if status, _ := get(t, url+"/slow"); status != http.StatusGatewayTimeout {
			t.Errorf("a slow request is answered %d", status)
		}
	}
	l.Output.Await(t, "it did not answer two invocations in a row within the function's timeout")
	if now := server(); now == first {
		t.Errorf("two slow requests in a row did not end server %s", first)
	}
}
