package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/edge"
)

// forward reports whether a field of the client's request goes to the app.
func (e *exchange) forward(key string) bool {
	if edge.HopByHop(key) || edge.Ours(key) {
		return false
	}
	for i := range len(key) {
		if key[i] == '_' || key[i] == '.' {
			return !edge.Alias(key) && !slices.Contains(e.drop, key)
		}
	}
	return !slices.Contains(e.drop, key)
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
