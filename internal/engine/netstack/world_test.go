//go:build linux

package netstack_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/nettest"
)

// Where the Internet does what.
const (
	internet = "203.0.113.10"
	echo     = internet + ":7001"  // sends back what it gets, by TCP and UDP
	nobody   = internet + ":7002"  // where nobody listens
	away     = "203.0.113.77:7000" // nobody is there to refuse
	reset    = internet + ":7003"  // takes one byte and resets the connection
)

// insideWorld is in the environment of the tests that run on the machine of a nettest.World.
const insideWorld = "NETSTACK_TEST_INSIDE"

// TestOrdinaryUser runs this package's tests as a user without privileges on a machine of its own.
func TestOrdinaryUser(t *testing.T) {
	if os.Getenv(insideWorld) != "" {
		t.Skip("that is what runs this")
	}
	w := nettest.NewWorld(t)
	w.Machine.In(t, func() error { return netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP("2a00:113::10")}) })
	w.Internet.In(t, func() error { return serveEcho(t) })
	w.Internet.In(t, func() error { return serveReset(t) })
	w.Internet.In(t, func() error { return serveNames(t) })
	again := enginetest.Nobody(t, "-test.v", "-test.timeout=4m")
	again.Env = append(again.Env, insideWorld+"=1")
	resolvConf := filepath.Join(again.Dir, "resolv.conf")
	if err := os.WriteFile(resolvConf, []byte("nameserver "+internet+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	again.Stdout, again.Stderr = &out, &out
	w.Machine.In(t, func() error { // what is started by a thread is where the thread is
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Mount(resolvConf, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
			return err
		}
		return again.Start()
	})
	if err := again.Wait(); err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out.String())
	}
	if !bytes.Contains(out.Bytes(), []byte("--- PASS: TestWhereItLeads")) {
		t.Errorf("nothing was tested as an ordinary user:\n%s", out.String())
	}
	if testing.Verbose() {
		t.Logf("%s", out.String())
	}
}

func serveEcho(t *testing.T) error {
	t.Helper()
	if err := nettest.Listen(t, echo, func(c net.Conn) { _, _ = io.Copy(c, struct{ io.Reader }{c}) }); err != nil {
		return err
	}
	return nettest.Datagrams(t, echo, func(b []byte) []byte { return b })
}

func serveReset(t *testing.T) error {
	t.Helper()
	return nettest.Listen(t, reset, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
	})
}

// serveNames gives every name the address of the Internet.
func serveNames(t *testing.T) error {
	t.Helper()
	return nettest.Datagrams(t, internet+":53", func(b []byte) []byte {
		var m dnsmessage.Message
		if err := m.Unpack(b); err != nil || len(m.Questions) == 0 {
			return nil
		}
		m.Response, m.Additionals = true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(internet).To4())},
			}}
		}
		answer, _ := m.Pack()
		return answer
	})
}
