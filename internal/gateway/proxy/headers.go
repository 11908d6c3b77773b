package proxy

import (
	"net/http"
	"slices"
	"strings"
)

// hopByHop reports whether a field concerns one connection only (RFC 9110 section 7.6.1).
func hopByHop(key string) bool {
	switch key {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authorization":
		return true
	}
	return false
}

// ours reports whether a field of a request is for the gateway alone to set: who the client is, how it came, and what the
// platform says to the app. What a client sends of these is dropped, or it could pose as somebody else.
func ours(key string) bool {
	switch key {
	case "Forwarded", "X-Real-Ip", "X-Request-Id", "True-Client-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip",
		"X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Original-Host", "Remote-User", "X-Remote-User",
		"Proxy", "Host", "Content-Length", "Trailer", "Expect":
		return true
	}
	return strings.HasPrefix(key, "X-Forwarded") || strings.HasPrefix(key, "Lambda-Runtime-") || strings.HasPrefix(key, "X-Aloft-")
}

// forward reports whether a field of the client's request goes to the app.
func (e *exchange) forward(key string) bool {
	if hopByHop(key) || ours(key) {
		return false
	}
	for i := range len(key) {
		if key[i] == '_' || key[i] == '.' {
			return !alias(key) && !slices.Contains(e.drop, key)
		}
	}
	return !slices.Contains(e.drop, key)
}

// alias reports whether an app that reads fields as CGI variables, where "-", "_" and "." are one, takes key for a field
// that a client may not send.
func alias(key string) bool {
	plain := http.CanonicalHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(key))
	return ours(plain) || hopByHop(plain)
}

// connectionTokens appends the fields that Connection headers name, in canonical form, to drop.
func connectionTokens(drop, values []string) []string {
	for _, v := range values {
		if v == "keep-alive" || v == "close" || v == "Upgrade" {
			continue
		}
		for token := range strings.SplitSeq(v, ",") {
			token = strings.TrimSpace(token)
			if token != "" {
				drop = append(drop, http.CanonicalHeaderKey(token))
			}
		}
	}
	return drop
}

// hasToken reports whether a comma-separated field has the token, whatever the case.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// wantsWebSocket reports whether the client asks to switch to WebSocket. No other protocol may take the connection over:
// an app that speaks h2c would otherwise take requests past the gateway.
func wantsWebSocket(r *http.Request) bool {
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Method != http.MethodGet || len(r.Header["Upgrade"]) != 1 || r.ContentLength != 0 {
		return false
	}
	return isWebSocket(r.Header["Upgrade"][0]) && hasToken(r.Header["Connection"], "upgrade")
}

func isWebSocket(upgrade string) bool {
	return strings.EqualFold(strings.TrimSpace(upgrade), "websocket")
}
