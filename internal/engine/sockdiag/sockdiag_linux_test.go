package sockdiag_test

import (
	"maps"
	"net"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// TestListening: a list that the kernel sends in several parts is whole, with IPv6 and Unix sockets on it, whichever way
// TCP is listed.
func TestListening(t *testing.T) {
	want := map[string]bool{}
	listen := func(network, addr string) {
		ln, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		want[ln.Addr().String()] = true
	}
	for range 400 {
		listen("tcp4", "127.0.0.1:0")
	}
	if ln, err := net.Listen("tcp6", "[::1]:0"); err == nil { // a machine may have no IPv6
		ln.Close()
		listen("tcp6", "[::1]:0")
	}
	socket := filepath.Join(t.TempDir(), "s")
	listen("unix", socket)
	all, err := sockdiag.Listening()
	missing(t, "all", want, all, err)
	delete(want, socket)
	for name, list := range map[string]func() ([]sockdiag.Listener, error){"both families": sockdiag.TCP, "one by one": sockdiag.Inet} {
		all, err := list()
		missing(t, name, want, all, err)
	}
}

// missing fails the test if not all of want are listed.
func missing(t *testing.T, name string, want map[string]bool, all []sockdiag.Listener, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	left := maps.Clone(want)
	for _, l := range all {
		delete(left, l.Addr.String())
	}
	if len(left) > 0 {
		t.Errorf("%s: %d of %d sockets are not listed", name, len(left), len(want))
	}
}

func BenchmarkListening(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sockdiag.Listening(); err != nil {
			b.Fatal(err)
		}
	}
}
