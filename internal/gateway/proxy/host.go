package proxy

import "strings"

// HostOf returns the host of a Host header as the route table knows it: without port and trailing dot, lower-case.
// Usual values need no allocation.
func HostOf(host string) string {
	if i := strings.IndexByte(host, ':'); i >= 0 && !strings.HasPrefix(host, "[") {
		host = host[:i]
	} else if end := strings.LastIndexByte(host, ']'); end > 0 {
		host = host[1:end]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// validHost reports whether a Host header holds only bytes of a name, an address and a port.
func validHost(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '.', c == '-', c == '_', c == '[', c == ']', c == '%':
		case c == ':':
			if host[0] != '[' && !digits(host[i+1:]) {
				return false
			}
		default:
			return false
		}
	}
	return host != ""
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2: a method or a field name.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// tokenLow and tokenHigh have a bit for each byte below 64 and from 64 to 127 that may stand in a token.
const (
	tokenLow  = 0x03ff6cfa_00000000
	tokenHigh = 0x57ffffff_c7fffffe
)

func tokenByte(c byte) bool {
	if c < 64 {
		return tokenLow>>c&1 != 0
	}
	return c < 128 && tokenHigh>>(c-64)&1 != 0
}
