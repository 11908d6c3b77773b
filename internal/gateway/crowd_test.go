package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
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

// answered reports whether a request on the connection is answered.
func answered(c net.Conn) bool {
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	return err == nil && res.StatusCode == http.StatusOK
}

func closed(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	return err != nil && !strings.Contains(err.Error(), "timeout")
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
	if !closed(dial(t, g.HTTPAddr())) {
		t.Error("a fourth connection was taken")
	}
	conns[0].Close()
	for deadline := time.Now().Add(10 * time.Second); !answered(dial(t, g.HTTPAddr())); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the place of a closed connection is not free")
		}
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
	release, working := make(chan bool), make(chan bool, 9)
	g, _ := begin(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			working <- true
			<-release
		}
	}, func(c *gateway.Config) { c.Limits.Conns = 4 })
	busy := dial(t, g.HTTPAddr())
	io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
	<-working
	var idle []net.Conn
	for range 3 {
		c := dial(t, g.HTTPAddr())
		if !answered(c) {
			t.Fatal("a connection that is allowed is not answered")
		}
		idle = append(idle, c)
	}
	if !answered(dial(t, g.HTTPAddr())) {
		t.Error("a newcomer is not answered though others only wait")
	}
	if !closed(idle[0]) {
		t.Error("the connection that waits for longest is still there")
	}
	for range 3 { // all others are busy now, too
		c := dial(t, g.HTTPAddr())
		io.WriteString(c, "GET /wait HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
		<-working
	}
	if !closed(dial(t, g.HTTPAddr())) {
		t.Error("a newcomer was taken though nobody could go")
	}
	close(release)
	if res, err := http.ReadResponse(bufio.NewReader(busy), nil); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the request that was in work: %v", err)
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
	io.WriteString(events, "GET /events HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
	lines := bufio.NewReader(events)
	for range 6 {
		io.WriteString(dial(t, g.HTTPAddr()), "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
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
