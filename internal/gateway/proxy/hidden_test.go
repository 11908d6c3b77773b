package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHiddenPath attacks the path of events: whatever the target looks like, the app is not asked. It sends bytes as they are,
// since clients would tidy them up.
func TestHiddenPath(t *testing.T) {
	asked := ""
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI
		_, _ = io.WriteString(w, "app "+r.Header.Get("X-Aloft-Event-Source"))
	})
	route := *b.table.Lookup("app.localhost")
	route.Hidden = "/events"
	b.table.Put(&route)
	for _, target := range []string{
		"/events", "/events/jobs", "/events/jobs/", "/events?x", "//events/jobs", "/./events", "/x/../events/jobs", "/%65vents/jobs", "/events%2fjobs",
		"/%2565vents/jobs", "/x/%2e%2e/events", "/EVENTS/jobs", "/events;x=1/jobs", `/\events\jobs`, "/events%5cjobs", "/../../events",
		"http://app.localhost/events/jobs", "http://app.localhost//events", "http://app.localhost/%65vents", "/events/../events/jobs", "/events%00",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions, "PURGE"} {
			answer := b.raw(t, method+" "+target+" HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 404") && !strings.HasPrefix(answer, "HTTP/1.1 400") || asked != "" {
				t.Errorf("%s %s: the app was asked %q, the answer is %.60q", method, target, asked, answer)
			}
			asked = ""
		}
	}
	upgrade := b.raw(t, "GET /events/jobs HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if !strings.HasPrefix(upgrade, "HTTP/1.1 404") || asked != "" {
		t.Errorf("an upgrade: %.60q", upgrade)
	}
	answer := b.raw(t, "GET /eventsource HTTP/1.1\r\nHost: app.localhost\r\nX-Aloft-Event-Source: jobs\r\nX_Aloft_Event_Source: jobs\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 200") || !strings.HasSuffix(answer, "app ") {
		t.Errorf("another path: %q", answer)
	}
}
