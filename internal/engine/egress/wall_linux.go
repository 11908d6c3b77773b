package egress

import (
	"errors"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// wall is the server's table of the machine's firewall. Its rules concern packets from and to the server's interfaces only,
// which they know by the beginning of their names; other tables go on to judge what is accepted here.
type wall struct {
	prefix string
	table  *nftables.Table
	opened *nftables.Chain // what single namespaces may do besides
}

// early is a priority before the tables of Docker and of firewall front ends, which use 0.
const early = -10

func newWall(e *Egress) (*wall, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	w := &wall{prefix: e.prefix, table: &nftables.Table{Family: nftables.TableFamilyINet, Name: e.name}}
	c.AddTable(w.table) // so that there is something to delete
	c.DelTable(w.table)
	c.AddTable(w.table)
	private4, private6, err := w.sets(c)
	if err != nil {
		return nil, err
	}
	w.opened = c.AddChain(&nftables.Chain{Name: "opened", Table: w.table})
	accept := nftables.ChainPolicyAccept
	chain := func(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority nftables.ChainPriority) *nftables.Chain {
		return c.AddChain(&nftables.Chain{Name: name, Table: w.table, Type: kind, Hooknum: hook, Priority: &priority, Policy: &accept})
	}
	forward := chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, early)
	w.add(c, forward, join(w.to(), established(), verdict(expr.VerdictAccept))) // answers
	w.refuse(c, forward, join(w.to(), w.from()))                                // one namespace to another
	w.add(c, forward, join(w.to(), verdict(expr.VerdictDrop)))                  // nobody comes in
	w.add(c, forward, join(w.from(), ownAddress(), verdict(expr.VerdictDrop)))
	w.add(c, forward, join(w.from(), jump(w.opened)))
	w.refuse(c, forward, join(w.from(), destination(nftables.TableFamilyIPv4), in(private4)))
	w.refuse(c, forward, join(w.from(), destination(nftables.TableFamilyIPv6), in(private6)))
	input := chain("input", nftables.ChainTypeFilter, nftables.ChainHookInput, early)
	w.refuse(c, input, w.from()) // the machine itself, whatever its addresses
	out := chain("out", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, *nftables.ChainPriorityNATSource)
	w.add(c, out, join(within(e.block4), []expr.Any{&expr.Masq{}}))
	w.add(c, out, join(within(e.block6), []expr.Any{&expr.Masq{}}))
	return w, c.Flush()
}

func (w *wall) sets(c *nftables.Conn) (four, six *nftables.Set, err error) {
	four = &nftables.Set{Table: w.table, Name: "private4", Interval: true, KeyType: nftables.TypeIPAddr}
	six = &nftables.Set{Table: w.table, Name: "private6", Interval: true, KeyType: nftables.TypeIP6Addr}
	var elements4, elements6 []nftables.SetElement
	for _, p := range closed() {
		if p.Addr().Is4() {
			elements4 = append(elements4, interval(p)...)
		} else {
			elements6 = append(elements6, interval(p)...)
		}
	}
	return four, six, errors.Join(c.AddSet(four, elements4), c.AddSet(six, elements6))
}

// interval is a prefix as the first address of it and, unless the addresses end there, the first behind it.
func interval(p netip.Prefix) []nftables.SetElement {
	elements := []nftables.SetElement{{Key: p.Masked().Addr().AsSlice()}}
	if next := last(p).Next(); next.IsValid() {
		elements = append(elements, nftables.SetElement{Key: next.AsSlice(), IntervalEnd: true})
	}
	return elements
}

// last is the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

func (w *wall) add(c *nftables.Conn, chain *nftables.Chain, what []expr.Any) {
	c.AddRule(&nftables.Rule{Table: w.table, Chain: chain, Exprs: what})
}

// refuse answers what matches that the way is closed, so that nobody waits: TCP by a reset, since the kernel sends only so
// many ICMP messages a second.
func (w *wall) refuse(c *nftables.Conn, chain *nftables.Chain, match []expr.Any) {
	w.add(c, chain, join(match, []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Reject{Type: unix.NFT_REJECT_TCP_RST},
	}))
	w.add(c, chain, join(match, []expr.Any{
		&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED},
	}))
}

// open lets packets from an interface pass to a prefix.
func (w *wall) open(link string, prefix netip.Prefix) (*nftables.Rule, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	family := nftables.TableFamilyIPv4
	if prefix.Addr().Is6() {
		family = nftables.TableFamilyIPv6
	}
	name := append([]byte(link), 0)
	rule := c.AddRule(&nftables.Rule{Table: w.table, Chain: w.opened, UserData: name, Exprs: join(
		[]expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, &expr.Cmp{Register: 1, Data: name}},
		destination(family), masked(prefix), verdict(expr.VerdictAccept),
	)})
	return rule, c.Flush()
}

// shut takes rules away again.
func (w *wall) shut(rules []*nftables.Rule) error {
	if len(rules) == 0 {
		return nil
	}
	c, err := nftables.New()
	if err != nil {
		return err
	}
	present, err := c.GetRules(w.table, w.opened) // they know their handles
	if err != nil {
		return err
	}
	for _, p := range present {
		if string(p.UserData) == string(rules[0].UserData) {
			if err := c.DelRule(p); err != nil {
				return err
			}
		}
	}
	return c.Flush()
}

func (w *wall) remove() error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	c.DelTable(w.table)
	if err := c.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

func join(parts ...[]expr.Any) []expr.Any {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// from and to match the server's interfaces: a comparison with the beginning of a name matches all that begin so.
func (w *wall) from() []expr.Any { return nameBegins(expr.MetaKeyIIFNAME, w.prefix) }

func (w *wall) to() []expr.Any { return nameBegins(expr.MetaKeyOIFNAME, w.prefix) }

func nameBegins(key expr.MetaKey, prefix string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Register: 1, Data: []byte(prefix)}}
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }

func jump(chain *nftables.Chain) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain.Name}}
}

// established matches packets of connections that were begun from inside.
func established() []expr.Any {
	const states = expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(states), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// ownAddress matches packets whose sender's address does not lead back to where they came from.
func ownAddress() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, FlagSADDR: true, FlagIIF: true, ResultOIF: true},
		&expr.Cmp{Register: 1, Data: make([]byte, 4)},
	}
}

// destination loads the address that packets of a family go to.
func destination(family nftables.TableFamily) []expr.Any {
	offset, size := uint32(16), uint32(4)
	if family == nftables.TableFamilyIPv6 {
		offset, size = 24, 16
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Register: 1, Data: []byte{byte(family)}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
	}
}

func in(set *nftables.Set) []expr.Any {
	return []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}}
}

// masked matches what was loaded against a prefix.
func masked(p netip.Prefix) []expr.Any {
	mask := make([]byte, len(p.Addr().AsSlice()))
	for i := range p.Bits() {
		mask[i/8] |= 1 << (7 - i%8)
	}
	return []expr.Any{
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: uint32(len(mask)), Mask: mask, Xor: make([]byte, len(mask))},
		&expr.Cmp{Register: 1, Data: p.Masked().Addr().AsSlice()},
	}
}

// within matches packets from a block of addresses.
func within(block netip.Prefix) []expr.Any {
	family, offset, size := byte(nftables.TableFamilyIPv4), uint32(12), uint32(4)
	if block.Addr().Is6() {
		family, offset, size = byte(nftables.TableFamilyIPv6), 8, 16
	}
	return join([]expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Register: 1, Data: []byte{family}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
	}, masked(block))
}
