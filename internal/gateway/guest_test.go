package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
)

// TestAbandonedUpload: a client that goes while the app does not read what it sent is noticed, though nobody reads from it.
func TestAbandonedUpload(t *testing.T) {
	if !gateway.SeesProgress {
		t.Skip("only Linux says that a client left from which nothing is read")
	}
	release, ended := make(chan bool), make(chan string, 1)
	g, _ := begin(t, func(http.ResponseWriter, *http.Request) { <-release }, func(c *gateway.Config) {
		c.Access = func(_ aloft.StageRef, line aloft.LogLine) { ended <- line.Text }
	})
	t.Cleanup(func() { close(release) })
	c := dial(t, g.HTTPAddr())
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", host, 1<<40)
	for block := make([]byte, 1<<20); ; { // until all that lies between is full
		c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Write(block); err != nil {
			break
		}
	}
	select {
	case line := <-ended:
		t.Fatalf("the request ended before its client left: %s", line)
	default:
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	select {
	case line := <-ended:
		if !strings.HasPrefix(line, "POST / 499 ") {
			t.Errorf("the log says %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Error("the request of a client that left is still there")
	}
}

// TestLeaves: an app learns that its client left, and a client that has only said all it had to say gets its answer.
func TestLeaves(t *testing.T) {
	asked, left, ended := make(chan bool), make(chan bool), make(chan string, 9)
	g, _ := begin(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			asked <- true
			<-r.Context().Done()
			left <- true
		}
	}, func(c *gateway.Config) {
		c.Access = func(_ aloft.StageRef, line aloft.LogLine) { ended <- line.Text }
	})
	c := dial(t, g.HTTPAddr())
	get(c, "/")
	c.(*net.TCPConn).CloseWrite()
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", res, err)
	}
	<-ended
	c = dial(t, g.HTTPAddr())
	get(c, "/wait")
	<-asked
	c.Close()
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Fatal("the app does not know that its client left")
	}
	if line := <-ended; !strings.HasPrefix(line, "GET /wait 499 ") {
		t.Errorf("the log says %q", line)
	}
}
