package edge_test

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/edge"
)

func TestHides(t *testing.T) {
	const hidden = "/internal/events"
	for _, target := range []string{
		"/internal/events", "/internal/events/", "/internal/events/jobs", "/internal/events/jobs/", "/internal/events?x=1", "/internal/events/jobs?x=1",
		"/internal/%65vents/jobs", "/%69nternal/events", "/internal%2Fevents%2Fjobs", "/internal%2fevents/jobs", "/internal/events%2F", "/internal/events%3Fx",
		"/internal/%2565vents/jobs", "/internal%252fevents", "/internal%25252fevents", "/internal%2525252525fevents",
		"//internal/events/jobs", "/internal//events//jobs", "///internal///events", "/./internal/./events/jobs", "/internal/x/../events/jobs",
		"/../internal/events", "/x/y/../../internal/events", "/x/%2e%2e/internal/events", "/x/.%2e/internal/events", "/x/..%2finternal/events",
		"/internal/events/../../public", "/internal/events/..", "/internal/events/.", `/internal\events\jobs`, `/x\..\internal/events`, "/x%5C..%5Cinternal%5Cevents",
		"/Internal/EVENTS/jobs", "/internal/events;v=1/jobs", "/x/..;/internal/events", "/internal;x/events/jobs", "/internal/events%00/x", "/internal/events%00",
		"/internal/ev%09ents/jobs", "/inter%0Anal/events", "/internal/events%20/jobs", "/internal/%20events", "internal/events", "/internal/eventſ/jobs", "/internal/event%C5%BF",
		"/internal/events#x", "/x%3F/../internal/events", "/x#/../internal/events", "/x%23/../internal/events", "/x%00/../internal/events",
		"/internal/%65%76%65%6e%74%73/%6a", "/%zz/../internal/events",
	} {
		if !edge.Hides(hidden, target) {
			t.Errorf("%s is open", target)
		}
	}
	for _, target := range []string{
		"/", "", "/internal", "/internal/", "/events", "/events/jobs", "/internal/eventsource", "/internal/event", "/x/internal/events", "/internal/x/events",
		"/search?q=/internal/events", "/a%20b", "/100%", "/internal/../events", "/internal-events", "*",
	} {
		if edge.Hides(hidden, target) {
			t.Errorf("%s is hidden", target)
		}
	}
	if edge.Hides("", "/events/jobs") {
		t.Error("a route without a hidden path hides one")
	}
}

// FuzzHides compares with how Go's own server reads targets: what it reads as hidden must be.
func FuzzHides(f *testing.F) {
	for _, s := range []string{"/events/jobs", "//events", "/%65vents", "/x/../events/y", "/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		for _, read := range []string{u.Path, path.Clean(u.Path), u.EscapedPath()} {
			if (read == "/events" || strings.HasPrefix(read, "/events/")) && !edge.Hides("/events", target) {
				t.Fatalf("%q is read as %q and open", target, read)
			}
		}
	})
}
