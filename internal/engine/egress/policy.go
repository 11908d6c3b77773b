package egress

import "net/netip"

// closed are the addresses that are not the public Internet's: those of this machine, of private networks and carriers, of
// links (where clouds answer with credentials), of groups, and those through which IPv4 ones can be reached by IPv6
// (IANA's special-purpose address registries). Documentation prefixes are not among them: nobody is there.
func closed() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
		"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16", "fc00::/7", "fe80::/10",
		"fec0::/10", "ff00::/8",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// Public reports whether an address is one that a sandbox may connect to without further permission.
func Public(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range closed() {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}
