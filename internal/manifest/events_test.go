package manifest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/standard"
)

func load(text string) (manifest.Settings, error) {
	src := fstest.MapFS{manifest.AloftFile: {Data: []byte(text), Mode: 0o644}}
	m, _, err := manifest.Reader{Source: standard.EventSources(standard.Sourced{}).Canonical}.Load(src)
	return m.Stage("staging"), err
}

func TestEvents(t *testing.T) {
	for text, want := range map[string][]string{
		"functions: {a: {events: 'schedule:rate( 5 minutes)'}}":                                                      {"schedule:rate(5 minutes)"},
		"functions: {a: {events: ['schedule:rate(1 day)', {schedule: 'cron(0 9 * * ? *)', timezone: Europe/Rome}]}}": {"schedule:rate(1 day)", "schedule:cron(0 9 * * ? *)?timezone=Europe/Rome"},
		"functions: {a: {events: {schedule: rate(1 day), name: daily}}}":                                             {"schedule:rate(1 day)?name=daily"},
		"functions: {a: {events: []}}":                                                                               {},
		"functions: {a: {events: 'schedule:rate(1 day)'}}\nstages: {staging: {functions: {a: {events: []}}}}":        {},
	} {
		s, err := load(text)
		if got := s.Functions["a"].Events; err != nil || got == nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	s, err := load("functions: {web: {event-path: /internal/events}}")
	if err != nil || s.Functions["web"].EventPath != "/internal/events" {
		t.Errorf("event-path: %+v, %v", s.Functions["web"], err)
	}
}

func TestBadEvents(t *testing.T) {
	for text, want := range map[string]string{
		"functions:\n  a:\n    events:\n    - schedule:rate(1 day)\n    - schedule:rate(5 eons)": "aloft.yml:5:7: functions.a.events: event source schedule:rate(5 eons): rate(5 eons): the unit",
		"functions: {a: {events: [{schedule: rate(1 day), colour: red}]}}":                       `aloft.yml:1:`,
		"functions: {a: {events: [{clock: x}]}}":                                                 `no kind "clock"`,
		"functions: {a: {events: nothing}}":                                                      "expected an event source, not",
		"functions: {a: {events: 5}}":                                                            "expected an event source or a list",
		"functions: {a: {events: [5]}}":                                                          "expected an event source, not the number 5",
		"functions: {a: {events: [{}]}}":                                                         "expected an event source",
		"functions: {a: {events: [{schedule: [1]}]}}":                                            "expected text",
		"functions: {a: {events: ['schedule:rate(1 day)', 'schedule:rate( 1 day)']}}":            "schedule:rate(1 day) is named twice",
		"functions: {web: {event-path: events}}":                                                 "URL path",
		"functions: {web: {event-path: /}}":                                                      "URL path",
		"functions: {web: {event-path: /a/../b}}":                                                "URL path",
		"functions: {web: {event-path: /a%2fb}}":                                                 "URL path",
		"functions: {web: {event-path: /a//b}}":                                                  "URL path",
		"functions: {web: {event-path: /.well/x}}":                                               "URL path",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
