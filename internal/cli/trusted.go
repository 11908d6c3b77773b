package cli

import (
	"net/netip"

	"github.com/aloft-run/aloft"
)

// trusted reads the addresses and ranges of proxies. It returns Invalid for what is neither, and for a range that is
// everybody.
func trusted(list []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(list))
	for _, text := range list {
		prefix, ok := readRange(text)
		if !ok {
			return nil, aloft.Errorf(aloft.Invalid, "%q is no address and no range", text).
				WithHint("for example: --trusted-proxy 10.0.0.0/28")
		}
		if prefix.Bits() == 0 {
			return nil, aloft.Errorf(aloft.Invalid, "%s is everybody: any client could pose as another", text).
				WithHint("name the addresses of the proxies only")
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

// readRange reads an address, which is a range of one, or a range. IPv4 written as IPv6 is IPv4.
func readRange(text string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		prefix = netip.PrefixFrom(addr.WithZone(""), addr.BitLen())
		if err != nil {
			return netip.Prefix{}, false
		}
	}
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix, true
}

// thisMachine are the addresses behind which all clients on this machine are, and proxies that run on it.
func thisMachine() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
