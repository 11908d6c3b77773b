package resolver_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/aloft-run/aloft/internal/engine/resolver"
)

// query is a question with an id.
func query(t *testing.T, id uint16) []byte {
	t.Helper()
	b, err := (&dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNoServerAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("# none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	packets, streams := sockets(t)
	relay := resolver.Serve(packets, streams, &resolver.Servers{Path: path})
	client, err := net.Dial("udp", packets.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = client.Write(query(t, 1))
	relay.Close()
	if _, err := net.DialTimeout("tcp", streams.Addr().String(), time.Second); err == nil {
		t.Error("a closed relay listens")
	}
}

func sockets(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return packets, streams
}

func TestServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("search x\nnameserver 192.0.2.1\nnameserver fd00::1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := (&resolver.Servers{Path: path}).List()
	if len(got) != 2 || got[0] != "192.0.2.1:53" || got[1] != "[fd00::1]:53" {
		t.Errorf("servers %q", got)
	}
	if got := (&resolver.Servers{Path: path + "x"}).List(); len(got) != 0 {
		t.Errorf("servers of no file %q", got)
	}
}
