// Package edge is what all that stands between clients and an app does alike, be it the gateway of this machine or the shim
// inside of Lambda: which fields of a request clients may not set, which paths they may not ask for, and what errors look like.
package edge

import (
	"net/http"
	"strings"
)

// HopByHop reports whether a field concerns one connection only (RFC 9110 section 7.6.1).
func HopByHop(key string) bool {
	switch key {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authorization":
		return true
	}
	return false
}

// Ours reports whether a field of a request is for the gateway alone to set: who the client is, how it came, and what the
// platform says to the app. What a client sends of these is dropped, or it could pose as somebody else.
func Ours(key string) bool {
	switch key {
	case "Forwarded", "X-Real-Ip", "X-Request-Id", "True-Client-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip",
		"X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Original-Host", "Remote-User", "X-Remote-User",
		"X-Amzn-Request-Context", "X-Amzn-Lambda-Context", "X-Amz-Tenant-Id", "Proxy", "Host", "Content-Length", "Trailer", "Expect":
		return true
	}
	return strings.HasPrefix(key, "X-Forwarded") || strings.HasPrefix(key, "Lambda-Runtime-") || strings.HasPrefix(key, "X-Aloft-")
}

// Alias reports whether an app that reads fields as CGI variables, where "-", "_" and "." are one, takes key for a field
// that a client may not send.
func Alias(key string) bool {
	plain := http.CanonicalHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(key))
	return Ours(plain) || HopByHop(plain)
}
