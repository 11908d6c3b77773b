package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway"
)

// dial opens a connection with a deadline for the whole test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// get asks for a path.
func get(c net.Conn, path string) {
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: app.localhost\r\n\r\n", path)
}

// answered reports whether a request on the connection is answered.
func answered(c net.Conn) bool {
	get(c, "/")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	return err == nil && res.StatusCode == http.StatusOK
}

// refused reports whether a new connection is closed at once, be it before Dial knows of it.
func refused(t *testing.T, addr string) bool {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return true
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return closed(c)
}

func closed(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// waiting waits until so many connections have no request in work: the client has its answer a moment before that.
func waiting(t *testing.T, g *gateway.Gateway, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); g.Waiting() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections wait, want %d", g.Waiting(), n)
		}
	}
}

// occupied is a gateway before an app that answers /wait at the end of the test, and says on the channel that it is asked.
func occupied(t *testing.T, limits gateway.Limits) (*gateway.Gateway, <-chan bool) {
	t.Helper()
	release, asked := make(chan bool), make(chan bool, 99)
	g, _ := begin(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			asked <- true
			<-release
		}
	}, func(c *gateway.Config) { c.Limits = limits })
	t.Cleanup(func() { close(release) })
	return g, asked
}

// TestClientConns: one address has as many connections as it may, and more only when some are closed.
func TestClientConns(t *testing.T) {
	g, _ := begin(t, func(http.ResponseWriter, *http.Request) {}, func(c *gateway.Config) { c.Limits.ClientConns = 3 })
	var conns []net.Conn
	for range 3 {
		c := dial(t, g.HTTPAddr())
		if !answered(c) {
			t.Fatal("a connection that is allowed is not answered")
		}
		conns = append(conns, c)
	}
	if !refused(t, g.HTTPAddr()) {
		t.Error("a fourth connection was taken")
	}
	conns[0].Close()
	for deadline := time.Now().Add(10 * time.Second); g.Guests() != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the place of a closed connection is not free")
		}
	}
	if !answered(dial(t, g.HTTPAddr())) {
		t.Error("nobody gets the place of a closed connection")
	}
}

// TestUncapped: behind some addresses are many clients.
func TestUncapped(t *testing.T) {
	this := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, change := range map[string]func(*gateway.Config){
		"uncapped": func(c *gateway.Config) { c.Uncapped = this },
		"trusted":  func(c *gateway.Config) { c.Trusted = this },
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := begin(t, func(http.ResponseWriter, *http.Request) {}, func(c *gateway.Config) { c.Limits.ClientConns = 1 }, change)
			for range 5 {
				if !answered(dial(t, g.HTTPAddr())) {
					t.Error("a connection is not answered")
				}
			}
		})
	}
}

// TestFullHouse: when there is no place, those that have waited for longest go; who has a request in work stays.
func TestFullHouse(t *testing.T) {
	g, asked := occupied(t, gateway.Limits{Conns: 4})
	get(dial(t, g.HTTPAddr()), "/wait")
	<-asked
	var idle []net.Conn
	for i := range 3 {
		c := dial(t, g.HTTPAddr())
		if !answered(c) {
			t.Fatal("a connection that is allowed is not answered")
		}
		waiting(t, g, i+1)
		idle = append(idle, c)
	}
	if !answered(dial(t, g.HTTPAddr())) {
		t.Error("a newcomer is not answered though others only wait")
	}
	if !closed(idle[0]) {
		t.Error("the connection that waits for longest is still there")
	}
	for i := range 3 { // all others are busy now, too
		waiting(t, g, 3-i)
		get(dial(t, g.HTTPAddr()), "/wait")
		<-asked
	}
	waiting(t, g, 0)
	if !refused(t, g.HTTPAddr()) {
		t.Error("a newcomer was taken though nobody could go")
	}
	if n := g.Guests(); n != 4 {
		t.Errorf("%d connections are left, want the 4 with a request", n)
	}
}

// TestWaiting: connections without a request in work are bounded apart, and one that has one is none of them.
func TestWaiting(t *testing.T) {
	g, asked := occupied(t, gateway.Limits{Waiting: 2})
	for range 5 {
		get(dial(t, g.HTTPAddr()), "/wait")
		<-asked
	}
	var idle []net.Conn
	for i := range 3 {
		c := dial(t, g.HTTPAddr())
		if !answered(c) {
			t.Fatal("a newcomer is not answered")
		}
		waiting(t, g, min(2, i+1))
		idle = append(idle, c)
	}
	if !closed(idle[0]) {
		t.Error("the connection that waits for longest is still there")
	}
	if n := g.Guests(); n != 7 {
		t.Errorf("%d connections are left, want 5 with a request and 2 others", n)
	}
}

// TestSlowReaders: of the clients that take nothing, as many stay as may; who takes what he asked for is not one of them.
func TestSlowReaders(t *testing.T) {
	if !gateway.SeesProgress {
		t.Skip("only Linux says how much a client has taken")
	}
	block := make([]byte, 64<<10)
	g, _ := begin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" { // takes all there is, which is little
			for {
				if _, err := fmt.Fprintln(w, "event"); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}, func(c *gateway.Config) { c.Limits.SlowReaders = 2 })
	events := dial(t, g.HTTPAddr())
	get(events, "/events")
	lines := bufio.NewReader(events)
	for range 6 {
		get(dial(t, g.HTTPAddr()), "/")
	}
	for deadline := time.Now().Add(15 * time.Second); g.Guests() != 3; {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("the client that reads was cut: %v", err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left, want 2 slow ones and 1 other", g.Guests())
		}
	}
	for range 100 { // two seconds in which no others are cut
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("the client that reads was cut: %v", err)
		}
	}
	if n := g.Guests(); n != 3 {
		t.Errorf("%d connections are left", n)
	}
}
