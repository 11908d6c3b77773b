//go:build linux

package egress_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/egress"
	"github.com/aloft-run/aloft/internal/engine/nettest"
)

// world is a machine with two tenants on it.
type world struct {
	*nettest.World
	tenants [2]*nettest.Space
	egress  *egress.Egress
	ways    [2]*egress.Connection
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: nettest.NewWorld(t)}
	w.Machine.In(t, func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0) })
	w.Machine.In(t, func() (err error) { w.egress, err = egress.Open("test"); return err })
	t.Cleanup(func() { w.Machine.In(t, func() error { return w.egress.Close() }) })
	for i := range w.tenants {
		w.tenants[i] = nettest.NewSpace(t)
		w.Machine.In(t, func() (err error) { w.ways[i], err = w.egress.Connect(w.tenants[i].File); return err })
	}
	for _, s := range w.tenants {
		s.Serve(t, "0.0.0.0")
	}
	return w
}

func TestWhereItLeads(t *testing.T) {
	w := newWorld(t)
	other := w.addressOf(t, 1)
	for _, c := range []struct {
		what, ip string
		open     bool
	}{
		{"the Internet", "203.0.113.10", true},
		{"the Internet by IPv6", "2a00:113::10", true},
		{"itself", "127.0.0.1", true},
		{"a private network", "10.9.0.2", false},
		{"a private network by IPv6", "fd09::2", false},
		{"a cloud's metadata", "169.254.169.254", false},
		{"the machine at its public address", "203.0.113.1", false},
		{"the machine at its private address", "10.9.0.1", false},
		{"the machine by IPv6", "2a00:113::1", false},
		{"the machine at its private IPv6 address", "fd09::1", false},
		{"the router", "169.254.1.1", false},
		{"another tenant", other, false},
	} {
		for _, network := range []string{"tcp", "udp"} {
			answer, err := w.tenants[0].Ask(t, network, c.ip)
			if c.open && (err != nil || answer != "hello") {
				t.Errorf("%s to %s (%s): %q, %v", network, c.what, c.ip, answer, err)
			}
			if !c.open && (err == nil || answer != "") {
				t.Errorf("%s to %s (%s): %q, %v", network, c.what, c.ip, answer, err)
			}
			if !c.open && err != nil && network == "tcp" && strings.Contains(err.Error(), "timeout") {
				t.Errorf("%s to %s (%s): %v; want an error at once", network, c.what, c.ip, err)
			}
		}
	}
	// The control: from the machine all of it can be reached.
	for _, ip := range []string{"203.0.113.10", "10.9.0.2", "169.254.169.254", "fd09::2", "2a00:113::10", "10.9.0.1"} {
		if answer, err := w.Machine.Ask(t, "tcp", ip); answer != "hello" {
			t.Errorf("the machine cannot reach %s: %v", ip, err)
		}
	}
	// Nobody comes in: not the machine, not the Internet.
	if answer, err := w.Machine.Ask(t, "tcp", other); err == nil {
		t.Errorf("the machine reaches a tenant: %q", answer)
	}
	w.Internet.In(t, func() error {
		return netlink.RouteAdd(&netlink.Route{Gw: netip.MustParseAddr("203.0.113.1").AsSlice()})
	})
	if answer, err := w.Internet.Ask(t, "tcp", other); err == nil {
		t.Errorf("the Internet reaches a tenant: %q", answer)
	}
}

// addressOf is a tenant's address.
func (w *world) addressOf(t *testing.T, tenant int) (ip string) {
	t.Helper()
	w.tenants[tenant].In(t, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err == nil {
			ip = addrs[0].IP.String()
		}
		return err
	})
	return ip
}

func TestAllow(t *testing.T) {
	w := newWorld(t)
	open := engine.Network{Open: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("fd09::/64")}}
	w.Machine.In(t, func() error { return w.ways[0].Allow(open) })
	for _, ip := range []string{"10.9.0.2", "fd09::2"} {
		if answer, err := w.tenants[0].Ask(t, "tcp", ip); answer != "hello" {
			t.Errorf("%s was opened: %v", ip, err)
		}
		if answer, err := w.tenants[1].Ask(t, "tcp", ip); err == nil {
			t.Errorf("%s was not opened to this one: %q", ip, answer)
		}
	}
	if _, err := w.tenants[0].Ask(t, "tcp", "10.9.0.1"); err == nil {
		t.Error("the machine's own address in the opened network is reached")
	}
	if _, err := w.tenants[0].Ask(t, "tcp", "169.254.169.254"); err == nil {
		t.Error("more than was asked for is open")
	}
	w.Machine.In(t, func() error { return w.ways[0].Close() })
	w.Machine.In(t, func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		tables, err := c.ListTables()
		if err != nil || len(tables) != 1 {
			t.Errorf("tables %v, %v", tables, err)
			return nil
		}
		rules, err := c.GetRules(tables[0], &nftables.Chain{Name: "opened"})
		if len(rules) != 0 || err != nil {
			t.Errorf("%d rules are left, %v", len(rules), err)
		}
		return nil
	})
}

func TestNothingIsLeft(t *testing.T) {
	w := newWorld(t)
	var many []*egress.Connection
	for range 50 {
		s := nettest.NewSpace(t)
		w.Machine.In(t, func() error {
			c, err := w.egress.Connect(s.File)
			many = append(many, c)
			return err
		})
	}
	for _, c := range many {
		w.Machine.In(t, c.Close)
		w.Machine.In(t, c.Close)
	}
	w.Machine.In(t, func() error { return w.egress.Close() })
	w.Machine.In(t, func() error {
		links, err := netlink.LinkList()
		if err != nil || len(links) != 3 {
			t.Errorf("%d interfaces, %v; want lo, wan0 and lan0", len(links), err)
		}
		c, err := nftables.New()
		if err != nil {
			return err
		}
		if tables, err := c.ListTables(); len(tables) != 0 || err != nil {
			t.Errorf("tables are left: %v, %v", tables, err)
		}
		return nil
	})
}

// TestKilled leaves the table of a server that was killed, which the next server of any name takes away, and those of two that
// live, which it leaves alone.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	w.Machine.In(t, func() error {
		tables := func() (names []string) {
			c, err := nftables.New()
			if err != nil {
				t.Fatal(err)
			}
			all, err := c.ListTables()
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range all {
				names = append(names, table.Name)
			}
			return names
		}
		killed, err := egress.Open("killed")
		if err != nil {
			return err
		}
		before := tables()
		c, err := nftables.New()
		if err != nil {
			return err
		}
		c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: egress.OldName("next")})
		if err := c.Flush(); err != nil {
			return err
		}
		killed.Die()
		next, err := egress.Open("next")
		if err != nil {
			return err
		}
		defer func() { _ = next.Close() }()
		after := tables()
		if len(before) != 2 || len(after) != 2 || !slices.Contains(after, before[0]) || slices.Contains(after, before[1]) {
			t.Errorf("tables %q before and %q after; the first is to stay, the second not", before, after)
		}
		return nil
	})
}

// TestSameName: a server whose home has the path of another's, as in two containers on one network, leaves that one its walls.
func TestSameName(t *testing.T) {
	w := newWorld(t)
	w.Machine.In(t, func() error {
		if second, err := egress.Open("test"); err == nil {
			t.Error("it opened", second.Close())
		}
		if err := egress.Sweep("test"); err == nil {
			t.Error("it swept")
		}
		return nil
	})
	if answer, err := w.tenants[0].Ask(t, "tcp", "203.0.113.1"); err == nil {
		t.Errorf("a tenant reaches the machine now: %q", answer)
	}
	if answer, err := w.tenants[0].Ask(t, "tcp", "203.0.113.10"); answer != "hello" {
		t.Errorf("a tenant does not reach the Internet any more: %v", err)
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "203.0.113.10": true, "2a00:1450::1": true, "223.255.255.255": true,
		"10.0.0.1": false, "172.31.255.255": false, "172.32.0.1": true, "192.168.1.1": false, "100.64.0.1": false, "169.254.169.254": false,
		"127.0.0.1": false, "0.0.0.0": false, "198.19.0.5": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "64:ff9b::a00:1": false, "2002:a00:1::": false,
		"fd00:ec2::254": false, "fe80::1": false, "ff02::1": false,
	} {
		if got := egress.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %v", text, got)
		}
	}
}
