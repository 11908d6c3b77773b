// Package egress gives network namespaces a way to the Internet, and to nothing else: not to the machine itself, to private
// networks, to each other, or to what clouds offer at link-local addresses.
//
// Each namespace gets a pair of interfaces with one address; packets are forwarded and masqueraded by the kernel under the
// rules of one nftables table of this server's own. It needs the rights of root over the machine's network.
package egress

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine"
)

// Egress connects namespaces. Close must be called at the end.
type Egress struct {
	tag    string // stands for the server
	name   string // of the table
	prefix string // of the interfaces on the machine's side
	block4 netip.Prefix
	block6 netip.Prefix
	via6   bool         // the machine forwards IPv6
	alive  net.Listener // says that the server lives

	mu   sync.Mutex // of the firewall and of used
	wall *wall
	used map[int]bool // numbers of the connected namespaces
	next int
}

// The addresses of namespaces are taken from 198.19.0.0/16, which is reserved for measurements (RFC 2544) and so hardly
// ever routed, and from fd61:6c6f:6674::/48, a unique local prefix. Each server has a part of them.
const (
	bits4, server4 = 16, 22 // 1,022 namespaces for each of 64 servers
	bits6, server6 = 48, 64
	namespaces     = 1<<(32-server4) - 2
)

var (
	pool4 = netip.MustParseAddr("198.19.0.0")       //nolint:gochecknoglobals // a constant
	pool6 = netip.MustParseAddr("fd61:6c6f:6674::") //nolint:gochecknoglobals // a constant
)

// Open prepares the machine for the namespaces of a server. What an earlier server of that name left is removed, and what
// other servers left that live no more.
func Open(server string) (_ *Egress, err error) {
	e, start := named(server)
	if err := e.live(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = e.alive.Close()
		}
	}()
	if err := e.choose(start); err != nil {
		return nil, err
	}
	if err := e.forward(); err != nil {
		return nil, err
	}
	if err := e.bury(); err != nil { // before anything of a server that lives is touched
		return nil, err
	}
	if err := e.sweep(); err != nil {
		return nil, err
	}
	if e.wall, err = newWall(e); err != nil {
		return nil, fmt.Errorf("install the firewall (nftables): %w", err)
	}
	return e, nil
}

// named is the Egress of a server, of which nothing is there yet, and where its choice of addresses begins.
func named(server string) (*Egress, uint16) {
	sum := sha256.Sum256([]byte(server))
	tag := hex.EncodeToString(sum[:tagBytes])
	return &Egress{tag: tag, prefix: linkPrefix(tag), used: map[int]bool{}}, binary.BigEndian.Uint16(sum[4:])
}

// tagBytes is how long a tag is: names of interfaces have to be short.
const tagBytes = 3

func linkPrefix(tag string) string { return "al" + tag + "-" }

// Sweep removes what a server left that is no more: interfaces, and the table of the firewall.
func Sweep(server string) error {
	e, _ := named(server)
	if err := e.bury(); errors.Is(err, errLives) {
		return err
	} // other errors: without interfaces its rules concern nothing
	return e.sweep()
}

// choose takes a part of the addresses that no interface or route of the machine has, beginning at one that hangs on the
// server's name.
func (e *Egress) choose(start uint16) error {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("read the machine's routes: %w", err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("read the machine's interfaces: %w", err)
	}
	ours := map[int]bool{}
	for _, l := range links {
		ours[l.Attrs().Index] = strings.HasPrefix(l.Attrs().Name, e.prefix)
	}
	const parts = 1 << (server4 - bits4)
	for i := range parts {
		n := (int(start) + i) % parts
		base := pool4.As4()
		base[2] |= byte(n << (24 - server4))
		block := netip.PrefixFrom(netip.AddrFrom4(base), server4)
		taken := false
		for _, r := range routes {
			if r.Dst != nil && !ours[r.LinkIndex] {
				dst, ok := netip.AddrFromSlice(r.Dst.IP)
				ones, _ := r.Dst.Mask.Size()
				taken = taken || ok && ones > 0 && block.Overlaps(netip.PrefixFrom(dst.Unmap(), ones))
			}
		}
		if !taken {
			six := pool6.As16()
			six[7] = byte(n)
			e.block4, e.block6 = block, netip.PrefixFrom(netip.AddrFrom16(six), server6)
			return nil
		}
	}
	return fmt.Errorf("all addresses of %s/%d are used on this machine", pool4, bits4)
}

// forward lets the machine pass packets on. For IPv4 that can be said per interface; for IPv6 it would change how the
// machine itself is configured by its router, so it is left as it is.
func (e *Egress) forward() error {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("read the machine's routes: %w", err)
	}
	for _, r := range routes {
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil && !strings.HasPrefix(link.Attrs().Name, e.prefix) {
			if err := setting("ipv4/conf/"+link.Attrs().Name+"/forwarding", "1"); err != nil {
				return err
			}
		}
	}
	text, err := os.ReadFile("/proc/sys/net/ipv6/conf/all/forwarding")
	e.via6 = err == nil && strings.TrimSpace(string(text)) == "1"
	return nil
}

func setting(name, value string) error {
	if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
		return fmt.Errorf("set the machine's network: %w", err)
	}
	return nil
}

const sweepAgain = 20

// sweep removes interfaces that an earlier server left.
func (e *Egress) sweep() error {
	links, err := netlink.LinkList()
	for range sweepAgain {
		if !errors.Is(err, netlink.ErrDumpInterrupted) { // interfaces come and go meanwhile
			break
		}
		links, err = netlink.LinkList()
	}
	if err != nil {
		return fmt.Errorf("read the machine's interfaces: %w", err)
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, e.prefix) {
			if err := netlink.LinkDel(l); err != nil && !errors.Is(err, unix.ENODEV) {
				return fmt.Errorf("remove the interface %s: %w", l.Attrs().Name, err)
			}
		}
	}
	return nil
}

// Connection is the way out of one namespace.
type Connection struct {
	egress *Egress
	number int
	link   string // on the machine's side
	rules  []*nftables.Rule
}

// Connect gives a namespace a way out.
func (e *Egress) Connect(space *os.File) (*Connection, error) {
	number, err := e.number()
	if err != nil {
		return nil, err
	}
	c := &Connection{egress: e, number: number, link: fmt.Sprintf("%s%d", e.prefix, number)}
	if err := c.plug(space); err != nil {
		return nil, errors.Join(fmt.Errorf("connect a namespace: %w", err), c.Close())
	}
	return c, nil
}

func (e *Egress) number() (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range namespaces {
		n := 1 + e.next%namespaces
		e.next++
		if !e.used[n] {
			e.used[n] = true
			return n, nil
		}
	}
	return 0, fmt.Errorf("all %d addresses of this server are used", namespaces)
}

// Allow opens private addresses to the namespace.
func (c *Connection) Allow(network engine.Network) error {
	c.egress.mu.Lock()
	defer c.egress.mu.Unlock()
	for _, prefix := range network.Open {
		rule, err := c.egress.wall.open(c.link, prefix)
		if err != nil {
			return fmt.Errorf("open %s: %w", prefix, err)
		}
		c.rules = append(c.rules, rule)
	}
	return nil
}

// Close takes the way out away. It is harmless after the namespace's end, and when repeated.
func (c *Connection) Close() error {
	var err error
	if link, findErr := netlink.LinkByName(c.link); findErr == nil {
		if err = netlink.LinkDel(link); errors.Is(err, unix.ENODEV) {
			err = nil
		}
	}
	c.egress.mu.Lock()
	defer c.egress.mu.Unlock()
	delete(c.egress.used, c.number)
	err = errors.Join(err, c.egress.wall.shut(c.rules))
	c.rules = nil
	return err
}

// Close takes the firewall away, and with it the way out of all that is still connected.
func (e *Egress) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { _ = e.alive.Close() }()
	if err := e.sweep(); err != nil {
		return err // whoever still has a way keeps its walls
	}
	return e.wall.remove()
}

// address4 and address6 are those of the namespace with a number.
func (e *Egress) address4(number int) net.IP {
	a := e.block4.Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(number))
	return a[:]
}

func (e *Egress) address6(number int) net.IP {
	a := e.block6.Addr().As16()
	binary.BigEndian.PutUint16(a[14:], uint16(number))
	return a[:]
}
