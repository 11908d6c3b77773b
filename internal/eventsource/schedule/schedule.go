// Package schedule is the event source of times: schedule:rate(5 minutes), schedule:cron(0 9 ? * MON-FRI *). Expressions are
// EventBridge's, time zones those of EventBridge Scheduler, and the event is the one that EventBridge rules send.
//
// Each tick invokes the function once. A rate counts from the first second of 1970, so that when it is due does not depend on
// when anything was started. What was due while no server ran is not made up for.
package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // servers need not have it

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
)

const (
	lateBy   = 5 * time.Minute  // after which a tick counts as missed: the machine slept, or its clock was set
	lookTime = 30 * time.Second // the longest sleep without a look at the clock, which may be set
	putTime  = 10 * time.Second // to pass an event on, though the source is to end
	again    = time.Second      // after which an event that could not be passed on is tried again
)

// Kind is the kind of all schedules.
type Kind struct{}

var _ eventsource.Kind = Kind{}

// Name implements eventsource.Kind.
func (Kind) Name() string { return "schedule" }

// Service implements eventsource.Kind: rules of EventBridge are none of this server's resources.
func (Kind) Service() string { return "" }

// Parse implements eventsource.Kind.
func (Kind) Parse(u eventsource.URI) (eventsource.Source, error) {
	options := u.Read()
	zone := options.Text("timezone", "UTC", checkZone)
	s := &source{zone: zone}
	s.name = options.Text("name", "schedule", checkName)
	zoned := u.Options["timezone"] != ""
	u, err := options.Done()
	if err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, u.Fault("%v", err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(u.Name), "(")
	body, closed := strings.CutSuffix(rest, ")")
	switch {
	case kind == "rate" && closed && zoned:
		return nil, u.Fault("a rate has no time zone").WithHint("it is so much time from one tick to the next, whatever clocks show")
	case kind == "rate" && closed:
		s.due, s.text, err = parseRate(body)
	case kind == "cron" && closed:
		s.due, s.text, err = parseCron(body, location)
	default:
		return nil, u.Fault("it is neither rate(…) nor cron(…)").WithHint("such as rate(5 minutes), or cron(0 9 ? * MON-FRI *)")
	}
	if err != nil {
		return nil, u.Fault("%v", err).WithHint("such as rate(5 minutes), or cron(0 9 ? * MON-FRI *): minute, hour, day of month, month, day of week, year")
	}
	u.Name, s.expression = s.text, s.text
	s.text = u.String()
	return s, nil
}

func checkZone(text string) string {
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		return "the name of a time zone such as Europe/Berlin"
	}
	return ""
}

func checkName(text string) string {
	if aloft.CheckName("schedule", text) != nil {
		return "a name such as nightly: lower-case letters, digits and dashes"
	}
	return ""
}

// due says when a schedule is due.
type due interface {
	// next is the first tick after a time; false if there is none.
	next(after time.Time) (time.Time, bool)
}

// source is one schedule.
type source struct {
	text       string
	expression string // rate(…) or cron(…)
	zone       string
	name       string
	due        due
}

// String implements eventsource.Source.
func (s *source) String() string { return s.text }

// Name implements eventsource.Source.
func (s *source) Name() string { return s.name }

// Run implements eventsource.Source.
func (s *source) Run(ctx context.Context, m *eventsource.Mapping, invoker aloft.Invoker) error {
	last := m.From
	m.Passed(last)
	for {
		if missed := time.Now().Round(0).Add(-lateBy); last.Before(missed) {
			last = missed
		}
		next, ok := s.due.next(last)
		if !ok { // the years are over
			m.Due(time.Time{})
			<-ctx.Done()
			return nil
		}
		m.Due(next)
		if !sleepUntil(ctx, next) {
			return nil
		}
		if time.Since(next) > lateBy {
			continue
		}
		if !s.fire(ctx, m, invoker, next) {
			return nil
		}
		last = next
		m.Passed(last)
	}
}

// sleepUntil sleeps until the clock shows a time. It returns false if ctx ends first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	for {
		left := at.Sub(time.Now().Round(0)) // without the monotonic clock, which stands still while the machine sleeps
		if ctx.Err() != nil {
			return false
		}
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(min(left, lookTime))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// fire passes the event of a tick on, trying again until it is passed on or late. It returns false if ctx ends first.
func (s *source) fire(ctx context.Context, m *eventsource.Mapping, invoker aloft.Invoker, at time.Time) bool {
	input := m.Input(s, event(m, at))
	input.Async, input.RequestID = true, m.ID("request "+stamp(at))
	for {
		// Whether an event that was cut off has been passed on nobody would know.
		put, cancel := context.WithTimeout(context.WithoutCancel(ctx), putTime)
		_, err := invoker.Invoke(put, input)
		cancel()
		if err == nil {
			m.Worked(1)
			return true
		}
		m.Fails(0, fmt.Errorf("the event of %s: %w", stamp(at), err))
		if time.Since(at) > lateBy {
			return true
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return false
		}
	}
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// event is what EventBridge sends for a scheduled rule.
// https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html and …/eventbridge/latest/userguide/eb-create-rule-schedule.html
func event(m *eventsource.Mapping, at time.Time) []byte {
	text, err := json.Marshal(struct {
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
		Detail     struct{} `json:"detail"`
	}{
		"0", m.ID("event " + stamp(at)), "Scheduled Event", "aws.events", eventsource.Account, stamp(at), eventsource.Region,
		[]string{fmt.Sprintf("arn:aws:events:%s:%s:rule/%s-%.8s", eventsource.Region, eventsource.Account, m.Stage.FunctionName(m.Function), m.ID("rule"))},
		struct{}{},
	})
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}
