package sockdiag_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// TestListening: a list that the kernel sends in several parts is whole, and Unix sockets are on it.
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
	listen("unix", filepath.Join(t.TempDir(), "s"))
	all, err := sockdiag.Listening()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		delete(want, l.Addr.String())
	}
	if len(want) > 0 {
		t.Errorf("%d of 401 sockets are not listed", len(want))
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
