package resolver_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine/resolver"
)

// TestAnswers asks by UDP and by TCP, and gets what the machine's name server says, though the first one listed is dead.
func TestAnswers(t *testing.T) {
	dead, alive := loopback(), nameServer(t)
	packets, streams := sockets(t)
	servers := &resolver.Servers{Path: listing(t, "nameserver "+dead+"\nnameserver "+alive+"\n")}
	relay := resolver.Serve(packets, streams, servers)
	defer relay.Close()

	for network, addr := range map[string]net.Addr{"udp": packets.LocalAddr(), "tcp": streams.Addr()} {
		client, err := net.Dial(network, addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_ = client.SetDeadline(time.Now().Add(30 * time.Second))
		question := "what?"
		if network == "tcp" { // a length comes first
			question = string(binary.BigEndian.AppendUint16(nil, uint16(len(question)))) + question
		}
		if _, err := io.WriteString(client, question); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, err := client.Read(b)
		if want := "answer to " + question; err != nil || string(b[:n]) != want {
			t.Errorf("%s: %q, %v; want %q", network, b[:n], err, want)
		}
	}
}

func TestCloseEndsIt(t *testing.T) {
	packets, streams := sockets(t)
	resolver.Serve(packets, streams, &resolver.Servers{Path: listing(t, "# none\n")}).Close()
	if _, err := net.DialTimeout("tcp", streams.Addr().String(), time.Second); err == nil {
		t.Error("a closed relay listens")
	}
	if _, err := packets.WriteTo([]byte("x"), packets.LocalAddr()); err == nil {
		t.Error("the packet socket is open")
	}
}

func TestServers(t *testing.T) {
	path := listing(t, "search x\nnameserver 192.0.2.1\nnameserver fd00::1\n")
	got := (&resolver.Servers{Path: path}).List()
	if strings.Join(got, " ") != "192.0.2.1:53 [fd00::1]:53" {
		t.Errorf("servers %q", got)
	}
	if got := (&resolver.Servers{Path: path + "x"}).List(); len(got) != 0 {
		t.Errorf("servers of no file %q", got)
	}
}

func listing(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loopback is an address of this machine that is hardly used by another.
func loopback() string {
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
}

// nameServer answers on port 53 of an address, which it returns, until the test ends.
func nameServer(t *testing.T) string {
	t.Helper()
	addr := loopback()
	packets, err := net.ListenPacket("udp", addr+":53")
	if errors.Is(err, syscall.EACCES) {
		t.Skip("needs to listen on port 53: run it as root")
	}
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", addr+":53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = packets.Close(); _ = streams.Close() })
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := packets.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo([]byte("answer to "+string(b[:n])), from)
		}
	}()
	go func() {
		for {
			c, err := streams.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			n, _ := c.Read(b)
			_, _ = io.WriteString(c, "answer to "+string(b[:n]))
			_ = c.Close()
		}
	}()
	return addr
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
