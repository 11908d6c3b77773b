package runtimeapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestPipeline sends a reply and the question for more work in one write, as our own runtimes do.
func TestPipeline(t *testing.T) {
	b := newBench(t)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	answer := func() (int, string) {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return res.StatusCode, string(body)
	}
	const next = "GET " + invocation + "next HTTP/1.1\r\nHost: x\r\n\r\n"
	large := strings.Repeat("y", 20<<10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(c, next)
		for _, body := range []string{"one", large, "last"} {
			if status, event := answer(); status != http.StatusOK || !strings.HasPrefix(event, "event ") {
				t.Errorf("next is answered %d %q", status, event)
			}
			_, _ = fmt.Fprintf(c, "POST %sid/response HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", invocation, len(body), body, next)
			if body == "last" {
				return // the session ends before there is more work
			}
			if status, text := answer(); status != http.StatusAccepted {
				t.Errorf("the reply is answered %d %q", status, text)
			}
		}
	}()
	for _, want := range []string{"one", large, "last"} {
		if reply := b.invoke(t, "id", "event "+want); string(reply.Payload) != want {
			t.Errorf("the reply is %.20q, want %.20q", reply.Payload, want)
		}
	}
	<-done
}
