// Package meter finds out what a stage uses, as package cost prices it: how many requests, how long, how much is sent and
// logged. Logs reads it from the log that this machine keeps. Other places that know (CloudWatch's metrics) have the same method.
package meter

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
)

// Measured is what a stage used in a time, as a day's load.
type Measured struct {
	Since, Until time.Time
	Functions    []cost.Usage // those that had requests; one that had events besides requests stands twice
	Left         []string     // what cannot be priced, in words
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
	days := m.days()
	for _, f := range l.Functions {
		c := counts[f.Name]
		switch {
		case f.Kind == aloft.Worker:
			m.Left = append(m.Left, "worker "+f.Name+": it runs all the time, which Lambda does not do")
		case c == nil || c.requests+c.invoked == 0:
		case f.Kind == aloft.Static:
			m.Left = append(m.Left, "static "+f.Name+": files are not sent by a function")
		default:
			m.Functions = append(m.Functions, l.usages(f, c, days)...)
		}
	}
	if len(m.Functions) == 0 {
		return m, aloft.Errorf(aloft.NotFound, "the log of %s has no request since %s", ref, since.Local().Format(time.DateTime)).
			WithHint("say what you expect: aloft cost --requests 16000/day --duration 200ms --memory 1024")
	}
	return m, nil
}

// oldest is the time of the oldest line that the log still has, zero if there is none.
func (l Logs) oldest(ctx context.Context, ref aloft.StageRef) (time.Time, error) {
	for line, err := range l.Service.Logs(ctx, aloft.LogQuery{Stage: ref}) {
		return line.Time, err
	}
	return time.Time{}, nil
}

// days is the time measured, at least a minute, for what has just begun says little.
func (m Measured) days() cost.Amount {
	return cost.Int(int64(max(m.Until.Sub(m.Since), time.Minute))).Over(cost.Int(int64(24 * time.Hour)))
}

// usages are a function's requests, and its events if it had any.
func (l Logs) usages(f aloft.Function, c *count, days cost.Amount) []cost.Usage {
	if f.Kind != aloft.Handler { // its requests are all there is, and Lambda will write its own lines for each
		c.invoked, c.billed, c.logged = c.requests, c.took, c.logged+c.requests*OwnLines
	}
	all := max(c.invoked, 1)
	u := cost.Usage{
		Function: f.Name, Memory: Memory(f), Arch: l.Arch, Duration: aloft.Duration(int64(c.billed) / all), LogBytes: c.logged / all,
		ColdStarts: cost.Int(c.starts).Over(days), Init: aloft.Duration(int64(c.init) / max(c.starts, 1)),
	}
	u.Duration = min(u.Duration, cost.MaxDuration)
	var list []cost.Usage
	if web := min(c.requests, c.invoked); web > 0 {
		request := u
		request.Requests, request.Endpoint, request.ResponseBytes = cost.Int(web).Over(days), l.Endpoint, c.sent/c.requests
		list = append(list, request)
		u.ColdStarts = cost.Amount{}
	}
	if events := c.invoked - c.requests; events > 0 {
		u.Requests = cost.Int(events).Over(days)
		list = append(list, u)
	}
	return list
}

// OwnLines is about how many bytes Lambda itself logs for a request: the lines START, END and REPORT.
const OwnLines = 300

// Memory is what a function would have on Lambda: what it is given, else what Lambda gives, within its limits.
func Memory(f aloft.Function) int {
	return min(max(f.Memory, cost.MinMemory), cost.MaxMemory)
}
