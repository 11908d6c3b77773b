package shim

import (
	"net"
	"testing"
	"time"
)

// TestFresh: a connection is fresh for keptTime, by the clock on the wall. One that came to rest at a time that is yet to come, since
// the clock was set back, is not known to be.
func TestFresh(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for ago, want := range map[time.Duration]bool{
		0: true, keptTime - 1: true, keptTime: false, keptTime + 1: false, time.Hour: false, -1: false, -time.Hour: false,
	} {
		l := link{used: now.Round(0).Add(-ago)}
		if got := l.fresh(now); got != want {
			t.Errorf("%s ago is fresh: %t", ago, got)
		}
	}
}

// TestLostConnections: no connection to a server is kept that closed those before, unless others worked in between.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l := &link{}
	defer l.close()
	var theirs net.Conn
	open := func() (same bool) {
		t.Helper()
		before := l.conn
		l.used = time.Now().Round(0) // however long the last step took
		if err := l.open(t.Context(), server.Addr()); err != nil {
			t.Fatal(err)
		}
		if same = l.conn == before; !same {
			if theirs, err = server.Accept(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = theirs.Close() })
		}
		l.rest()
		return same
	}
	lose := func() {
		t.Helper()
		_ = theirs.Close()
		for end := time.Now().Add(10 * time.Second); quiet(l.conn); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the server's end is not seen")
			}
		}
	}
	open()
	for round, want := range []bool{true, true, false} { // lost once, lost once after a success, lost twice in a row
		times := 1
		if !want {
			times = mostLost
		}
		for range times {
			lose()
			if open() {
				t.Fatalf("round %d: a closed connection is used", round)
			}
		}
		if got := open(); got != want {
			t.Errorf("round %d: a good connection is kept: %t, want %t", round, got, want)
		}
	}
}
