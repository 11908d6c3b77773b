package meter

import (
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// tally is what was counted by function.
type tally map[string]*count

// count is what was counted of one function.
type count struct {
	by      traffic // what an instance answered: requests for web functions
	without traffic // what none did: requests for handlers, which are events for them; for files; and refused ones
	invoked int64   // of a handler, by requests and else
	billed  time.Duration
	logged  int64 // bytes that it and its reports logged
	starts  int64
	init    time.Duration
}

// traffic is what came through the gateway.
type traffic struct {
	requests int64
	sent     int64         // bytes of the answers
	took     time.Duration // all their time, each rounded up to a millisecond
}

func (t tally) add(line aloft.LogLine) {
	if line.Function == "" || line.Stream == "run" {
		return
	}
	c := t[line.Function]
	if c == nil {
		c = &count{}
		t[line.Function] = c
	}
	if line.Stream == "access" {
		if line.Instance != "" {
			c.by.add(line.Text)
		} else {
			c.without.add(line.Text)
		}
		return
	}
	c.logged += int64(len(line.Text)) + 1
	if line.Stream == "aloft" && strings.HasPrefix(line.Text, "REPORT RequestId: ") {
		c.report(line.Text)
	}
}

// add reads a line of the access log: method, path, status, bytes, time, client.
func (t *traffic) add(text string) {
	words := strings.Fields(text)
	if len(words) < 6 {
		return
	}
	sent, err := strconv.ParseInt(strings.TrimSuffix(words[3], "B"), 10, 64)
	took, ok := millis(strings.TrimSuffix(words[4], "ms"))
	if err != nil || !ok {
		return
	}
	t.requests++
	t.sent += sent
	t.took += (took + time.Millisecond - 1).Truncate(time.Millisecond)
}

// report reads what Lambda's engine says after an invocation: fields with tabs between them.
func (c *count) report(text string) {
	for field := range strings.SplitSeq(text, "\t") {
		name, value, _ := strings.Cut(field, ": ")
		took, ok := millis(strings.TrimSuffix(value, " ms"))
		switch {
		case !ok:
		case name == "Billed Duration":
			c.invoked++
			c.billed += took
		case name == "Init Duration":
			c.starts++
			c.init += took
		}
	}
}

// millis reads a number of milliseconds.
func millis(text string) (time.Duration, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v > float64(365*24*time.Hour/time.Millisecond) {
		return 0, false
	}
	return time.Duration(v * float64(time.Millisecond)), true
}

// lost reports whether a line of the log says that lines are missing there: what is counted is too low.
func lost(text string) bool { return strings.Contains(text, "lines are missing here") }
