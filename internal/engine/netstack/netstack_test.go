//go:build linux

package netstack_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/engine/namespace"
	"github.com/aloft-run/aloft/internal/engine/nettest"
)

func newEngine(t *testing.T) *namespace.Engine {
	t.Helper()
	if os.Getenv(insideWorld) == "" {
		t.Skip("runs on the machine that TestOrdinaryUser makes; nothing to install")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e, err := namespace.New(t.Context(), namespace.Options{Server: "aloft-test-netstack", Visible: []string{filepath.Dir(self)}})
	if err != nil {
		t.Skipf("this machine does not let sandboxes be made (%v); see aloft doctor", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if !strings.Contains(e.Isolation(), "userspace stack") {
		t.Fatalf("the engine has another way, or none: %s", e.Isolation())
	}
	return e
}

// begin starts a tenant, which ends with the test.
func begin(t *testing.T, e engine.Engine, network engine.Network, args ...string) (engine.Sandbox, *enginetest.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := &enginetest.Buffer{}
	s, err := e.Start(t.Context(), engine.Spec{
		ID: "tenant", Command: append([]string{self, tenantWord}, args...), Private: t.TempDir(), Network: network,
		Stdout: out, Stderr: out, Limits: engine.Limits{Files: 4096},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Signal(syscall.SIGKILL)
		<-s.Done()
	})
	return s, out
}

// patience is long for what takes seconds on a busy machine.
const patience = time.Minute

// run runs a tenant to its end and returns what came of what it tried.
func run(t *testing.T, e engine.Engine, network engine.Network, args ...string) []result {
	t.Helper()
	s, out := begin(t, e, network, args...)
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatalf("%v: not in time", args)
	}
	var all []result
	for line := range strings.Lines(out.String()) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("a tenant said %q, exit %+v", out.String(), s.Exit())
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		t.Fatalf("a tenant said nothing, exit %+v", s.Exit())
	}
	return all
}

func at(ip string) string { return netip.AddrPortFrom(netip.MustParseAddr(ip), nettest.Port).String() }

func TestWhereItLeads(t *testing.T) {
	e := newEngine(t)
	cases := []struct {
		what, address string
		open          bool
	}{
		{"the Internet", at("203.0.113.10"), true},
		{"the Internet by IPv6", at("2a00:113::10"), true},
		{"the Internet by name", "somebody.example:" + strconv.Itoa(nettest.Port), true},
		{"nobody in the Internet", nobody, false},
		{"a private network", at("10.9.0.2"), false},
		{"a private network by IPv6", at("fd09::2"), false},
		{"a cloud's metadata", at("169.254.169.254"), false},
		{"the machine at its public address", at("203.0.113.1"), false},
		{"the machine at its private address", at("10.9.0.1"), false},
		{"the machine by IPv6", at("2a00:113::1"), false},
		{"the machine at its private IPv6 address", at("fd09::1"), false},
		{"the router", at("169.254.1.1"), false},
		{"another tenant", at("198.18.0.3"), false},
		{"the far end of the link", at("198.18.0.2"), false},
		{"where no route leads", at("192.0.2.1"), false},
	}
	var args []string
	for _, c := range cases {
		args = append(args, "tcp", c.address, "udp", c.address)
	}
	results := run(t, e, engine.Network{}, append([]string{"ask"}, args...)...)
	if len(results) != 2*len(cases) {
		t.Fatalf("%d results of %d", len(results), 2*len(cases))
	}
	for i, r := range results {
		c := cases[i/2]
		if c.open && (r.Answer != "hello" || r.Err != "") {
			t.Errorf("%s (%s): %q, %s", c.what, r.What, r.Answer, r.Err)
		}
		if !c.open && (r.Answer != "" || r.Err == "") {
			t.Errorf("%s (%s): %q, %s", c.what, r.What, r.Answer, r.Err)
		}
		if !c.open && strings.Contains(r.Err, "timeout") {
			t.Errorf("%s (%s): %s; want an error at once", c.what, r.What, r.Err)
		}
	}
}

func TestOpened(t *testing.T) {
	e := newEngine(t)
	open := engine.Network{Open: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("fd09::/64")}}
	for _, r := range run(t, e, open, "ask", "tcp", at("10.9.0.2"), "udp", at("10.9.0.2"), "tcp", at("fd09::2")) {
		if r.Answer != "hello" {
			t.Errorf("%s was opened: %s", r.What, r.Err)
		}
	}
	for _, r := range run(t, e, open, "ask", "tcp", at("10.9.0.1"), "tcp", at("fd09::1"), "tcp", at("169.254.169.254")) {
		if r.Answer != "" || !strings.Contains(r.Err, "refused") {
			t.Errorf("%s is more than was opened: %q, %s", r.What, r.Answer, r.Err)
		}
	}
	if r := run(t, e, engine.Network{}, "ask", "tcp", at("10.9.0.2"))[0]; r.Answer != "" {
		t.Errorf("%s was opened to another tenant", r.What)
	}
}
