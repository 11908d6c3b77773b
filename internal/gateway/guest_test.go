package gateway_test

import (
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
