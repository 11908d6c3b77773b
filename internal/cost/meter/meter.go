// Package meter finds out what a stage uses, as package cost prices it: how many requests, how long, how much is sent and
// logged. Logs reads it from the log that this machine keeps. Other places that know (CloudWatch's metrics) have the same method.
package meter

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
)

// Measured is what a stage used in a time, as a day's load.
type Measured struct {
	Since, Until time.Time
	Functions    []cost.Usage // those that had requests or events
	Left         []string     // what cannot be priced, in words
	LogsAssumed  []string     // the functions of whose log nobody knows the size: it is taken for OwnLines a request
}

// Logs measures by the lines of a stage's log: those of requests, and for handlers the reports after each invocation.
type Logs struct {
	Service   aloft.LogService
	Functions []aloft.Function // of the current release, tuned
	Endpoint  cost.Endpoint    // that requests are to come through
	Arch      cost.Arch
	Until     time.Time
}

// Usage measures from since, or from the oldest line of the log if that is younger: the stage is new, or the log is full. It
// returns NotFound if the log holds no request.
func (l Logs) Usage(ctx context.Context, ref aloft.StageRef, since time.Time) (Measured, error) {
	m := Measured{Until: l.Until}
	counts := tally{}
	oldest, err := l.oldest(ctx, ref)
	if err != nil {
		return m, err
	}
	if oldest.After(since) {
		since = oldest
	}
	m.Since = since
	for line, err := range l.Service.Logs(ctx, aloft.LogQuery{Stage: ref, Since: since}) {
		switch {
		case err != nil:
			return m, err
		case line.Stream == "aloft" && line.Function == "" && lost(line.Text):
			m.Left = append(m.Left, line.Text)
		case line.Time.Before(l.Until):
			counts.add(line)
		}
	}
	for _, f := range l.Functions {
		if c := counts[f.Name]; c != nil || f.Kind == aloft.Worker {
			l.settle(&m, f, c)
		}
	}
	if len(m.Functions) == 0 {
		return m, aloft.Errorf(aloft.NotFound, "the log of %s has no request since %s", ref, since.Local().Format(time.DateTime)).
			WithHint("say what you expect: aloft cost --requests 16000/day --duration 200ms --memory 1024")
	}
	return m, nil
}

// settle adds what was counted of a function to what is priced, or to what cannot be. c is nil only for workers.
func (l Logs) settle(m *Measured, f aloft.Function, c *count) {
	web := traffic{}
	switch f.Kind {
	case aloft.Worker:
		m.Left = append(m.Left, "worker "+f.Name+": it runs all the time, which Lambda does not do")
		return
	case aloft.Web: // its requests are all there is, and Lambda will write its own lines for each
		web = c.by
		c.invoked, c.billed, c.logged = web.requests, web.took, c.logged+web.requests*OwnLines
	case aloft.Handler:
		web = c.without
		web.requests, c.without = min(web.requests, c.invoked), traffic{}
	case aloft.Static:
	}
	if c.invoked > 0 {
		m.Functions = append(m.Functions, l.usage(f, c, web, m.Days()))
	}
	if n := c.without.requests; n > 0 {
		m.Left = append(m.Left, fmt.Sprintf("%d requests to %s that no instance answered: files, or refused", n, f.Name))
	}
}

// oldest is the time of the oldest line that the log still has, zero if there is none.
func (l Logs) oldest(ctx context.Context, ref aloft.StageRef) (time.Time, error) {
	for line, err := range l.Service.Logs(ctx, aloft.LogQuery{Stage: ref}) {
		return line.Time, err
	}
	return time.Time{}, nil
}

// Days is the time measured, at least a minute, for what has just begun says little.
func (m Measured) Days() cost.Amount {
	return cost.Int(int64(max(m.Until.Sub(m.Since), time.Minute))).Over(cost.Int(int64(24 * time.Hour)))
}

// usage is what a function that was invoked is asked to do in a day.
func (l Logs) usage(f aloft.Function, c *count, web traffic, days cost.Amount) cost.Usage {
	return cost.Usage{
		Function: f.Name, Memory: Memory(f), Arch: l.Arch, Endpoint: l.Endpoint,
		Requests: cost.Int(web.requests).Over(days), Events: cost.Int(c.invoked - web.requests).Over(days),
		Duration: mean(c.billed, c.invoked), LogBytes: c.logged / c.invoked, ResponseBytes: web.sent / max(web.requests, 1),
		ColdStarts: cost.Int(c.starts).Over(days), Init: mean(c.init, c.starts),
	}
}

func mean(sum time.Duration, n int64) aloft.Duration {
	return min(aloft.Duration(int64(sum)/max(n, 1)), cost.MaxDuration)
}

// OwnLines is about how many bytes Lambda itself logs for a request: the lines START, END and REPORT.
const OwnLines = 300

// Memory is what a function would have on Lambda: what it is given, else what aloft gives it there, within Lambda's limits.
func Memory(f aloft.Function) int {
	return min(max(cmp.Or(f.Memory, cost.DefaultMemory), cost.MinMemory), cost.MaxMemory)
}
