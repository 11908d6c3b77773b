package proxy

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// identity is who a client is and how it came, as the app is told.
type identity struct {
	client string // its address
	via    string // the same and the trusted proxies behind it, as X-Forwarded-For has them
	host   string // that it asked for
	proto  string // "http" or "https"
}

// identify looks at the connection. Only if its other side is a trusted proxy do the fields of the request say more: the
// client is the last of X-Forwarded-For that is no trusted proxy; what stands before it anybody may have written, and is
// dropped.
func (h *Handler) identify(r *http.Request) identity {
	peer := peerIP(r)
	id := identity{client: peer, via: peer, host: r.Host, proto: "http"}
	if r.TLS != nil {
		id.proto = "https"
	}
	if len(h.trusted) == 0 || !h.trusts(peer) {
		return id
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr := address(strings.TrimSpace(hop))
		if addr == "" {
			break
		}
		id.client, id.via = addr, addr+", "+id.via
		if !h.trusts(addr) {
			break
		}
	}
	if proto := strings.ToLower(last(r.Header["X-Forwarded-Proto"])); proto == "http" || proto == "https" {
		id.proto = proto
	}
	if host := last(r.Header["X-Forwarded-Host"]); validHost(host) {
		id.host = host
	}
	return id
}

func (h *Handler) trusts(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	addr = addr.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(h.trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// address returns the IP address of a hop, which may have a port; "" if it has none.
func address(hop string) string {
	if addr, err := netip.ParseAddr(hop); err == nil {
		return addr.WithZone("").String()
	}
	if addr, err := netip.ParseAddrPort(hop); err == nil {
		return addr.Addr().WithZone("").String()
	}
	return ""
}

// last is the last member of a list: what the proxy next to us has added.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	value := values[len(values)-1]
	return strings.TrimSpace(value[strings.LastIndexByte(value, ',')+1:])
}

// appendIdentity writes who the client is and how it came. The client's own claims were dropped.
func (e *exchange) appendIdentity(b []byte) []byte {
	b = appendField(b, "X-Forwarded-For", e.from.via)
	b = appendField(b, "X-Real-Ip", e.from.client)
	b = appendField(b, "X-Forwarded-Host", e.from.host)
	b = appendField(b, "X-Forwarded-Proto", e.from.proto)
	return appendField(b, "X-Request-Id", e.id)
}

// peerIP is the address of the other side of the connection.
func peerIP(r *http.Request) string {
	addr := r.RemoteAddr
	for i := len(addr) - 1; i >= 0; i-- {
		if addr[i] == ':' {
			addr = addr[:i]
			break
		}
	}
	if len(addr) > 1 && addr[0] == '[' {
		addr = addr[1 : len(addr)-1]
	}
	return addr
}
