package schedule_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
	"github.com/aloft-run/aloft/internal/eventsource/schedule"
)

func suite() eventsourcetest.Suite {
	return eventsourcetest.Suite{
		Kind: schedule.Kind{}, Runs: "schedule:rate(5 minutes)", Async: true,
		Deliver: func(*testing.T) { time.Sleep(5 * time.Minute) },
		Good: map[string]string{
			"schedule:rate(5 minutes)":                                    "schedule:rate(5 minutes)",
			" schedule:rate( 1   hour ) ":                                 "schedule:rate(1 hour)",
			"schedule:rate(31 days)?name=monthly":                         "schedule:rate(31 days)?name=monthly",
			"schedule:cron(0 12 * * ? *)":                                 "schedule:cron(0 12 * * ? *)",
			"schedule:cron(0 9 ? * mon-fri *)?timezone=Europe/Berlin":     "schedule:cron(0 9 ? * MON-FRI *)?timezone=Europe/Berlin",
			"schedule:cron(0/15 * L-0 * ? *)":                             "",
			"schedule:cron(0 0 LW JAN,JUL ? 2030-2035)":                   "schedule:cron(0 0 LW JAN,JUL ? 2030-2035)",
			"schedule:cron(0 0 ? * 6#3 *)?timezone=UTC&name=third":        "schedule:cron(0 0 ? * 6#3 *)?name=third",
			"schedule:cron(0 0 ? * FRIL *)?timezone=Etc/GMT+5":            "schedule:cron(0 0 ? * FRIL *)?timezone=Etc/GMT+5",
			"schedule:cron(0 0 ? * FRI-MON *)?name=schedule&timezone=UTC": "schedule:cron(0 0 ? * FRI-MON *)",
		},
		Bad: map[string]string{
			"schedule:":                                      "KIND:NAME",
			"schedule:5 minutes":                             "neither rate(…) nor cron(…)",
			"schedule:rate(5 minutes":                        "neither",
			"schedule:rate(0 minutes)":                       "from 1",
			"schedule:rate(1 minutes)":                       "write rate(1 minute)",
			"schedule:rate(5 minute)":                        "write rate(5 minutes)",
			"schedule:rate(5 seconds)":                       "minutes, hours or days",
			"schedule:rate(99999999999999999999 days)":       "whole number",
			"schedule:rate(99999999 days)":                   "longer than",
			"schedule:rate(5 minutes)?timezone=UTC":          "a rate has no time zone",
			"schedule:cron(0 12 * * ?)":                      "5 fields, not 6",
			"schedule:cron(60 12 * * ? *)":                   `minute: "60" is not from 0 to 59`,
			"schedule:cron(0 24 * * ? *)":                    "hour",
			"schedule:cron(0 12 32 * ? *)":                   "day of month",
			"schedule:cron(0 12 * FOO ? *)":                  "JAN to DEC",
			"schedule:cron(0 12 ? * 0 *)":                    "SUN to SAT",
			"schedule:cron(0 12 * * * *)":                    "one of day of month and day of week must be ?",
			"schedule:cron(0 12 ? * ? *)":                    "both ?",
			"schedule:cron(0 12 ? * 2#6 *)":                  "from 1 to 5",
			"schedule:cron(0/0 12 * * ? *)":                  "step",
			"schedule:cron(0 12 * * ? 2035-2030)":            "backwards",
			"schedule:cron(0 12 * * ? 1969)":                 "1970 to 2199",
			"schedule:cron(0 12 * * ? *)?timezone=Mars/Base": "time zone",
			"schedule:cron(0 12 * * ? *)?name=A+b":           "name is a name",
			"schedule:rate(1 day)?name=a&name=b":             "twice",
			"arn:aws:events:us-east-1:1:rule/x":              "events",
			"shedule:rate(1 day)":                            "schedule",
		},
	}
}

func TestLaws(t *testing.T) {
	s := suite()
	delete(s.Good, "schedule:cron(0/15 * L-0 * ? *)")
	eventsourcetest.Run(t, s)
	synctest.Test(t, func(t *testing.T) { eventsourcetest.Delivers(t, suite()) })
}

// TestEvent compares with the example of AWS's documentation:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := eventsourcetest.Delivers(t, suite())
		payload := f.Inputs()[0].Payload
		e := eventsourcetest.SameShape[events.EventBridgeEvent](t, payload)
		want := strings.NewReplacer("ID", e.ID, "ARN", e.Resources[0]).Replace(`{"version": "0", "account": "000000000000", "region": "us-east-1",
			"detail": {}, "detail-type": "Scheduled Event", "source": "aws.events", "time": "2000-01-01T00:05:00Z", "id": "ID", "resources": ["ARN"]}`)
		eventsourcetest.Same(t, payload, []byte(want))
		if !strings.HasPrefix(e.Resources[0], "arn:aws:events:us-east-1:000000000000:rule/shop-work-staging-") {
			t.Errorf("the rule is %q", e.Resources[0])
		}
	})
}

// TestTicks compares ticks with those that AWS's documentation gives for these expressions, and with calendars.
func TestTicks(t *testing.T) {
	for _, c := range []struct{ text, after, want string }{
		{"cron(15 10 ? * 6L 2019-2022)", "2019-01-01T00:00:00Z", "2019-01-25T10:15:00Z 2019-02-22T10:15:00Z 2019-03-29T10:15:00Z"},
		{"cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00Z", "2026-11-30T18:00:00Z 2026-12-01T18:00:00Z"},
		{"cron(0 8 1 * ? *)", "2026-01-15T00:00:00Z", "2026-02-01T08:00:00Z 2026-03-01T08:00:00Z"},
		{"cron(0/10 * ? * MON-FRI *)", "2026-11-27T23:45:00Z", "2026-11-27T23:50:00Z 2026-11-30T00:00:00Z"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "2026-11-26T17:52:00Z", "2026-11-26T17:55:00Z 2026-11-27T08:00:00Z"},
		{"cron(0 9 ? * 2#1 *)", "2026-11-01T00:00:00Z", "2026-11-02T09:00:00Z 2026-12-07T09:00:00Z"},
		{"cron(30 0 ? * 3#5 *)", "2026-11-01T00:00:00Z", "2026-12-29T00:30:00Z 2027-03-30T00:30:00Z"},
		{"cron(0 0 L 2 ? *)", "2023-03-01T00:00:00Z", "2024-02-29T00:00:00Z 2025-02-28T00:00:00Z"},
		{"cron(0 0 15W * ? *)", "2026-11-01T00:00:00Z", "2026-11-16T00:00:00Z 2026-12-15T00:00:00Z"}, // the 15th is a Sunday
		{"cron(0 0 1W * ? *)", "2026-07-15T00:00:00Z", "2026-08-03T00:00:00Z"},                       // a Saturday: not in July
		{"cron(0 0 31W * ? *)", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z 2026-07-31T00:00:00Z"}, // a Sunday: not in June
		{"cron(0 0 LW * ? *)", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z 2026-02-27T00:00:00Z"},
		{"cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		{"cron(0 0 31 2 ? *)", "2026-01-01T00:00:00Z", ""},
		{"cron(59 23 31 12 ? 2199)", "2026-01-01T00:00:00Z", "2199-12-31T23:59:00Z"},
		{"cron(0 0 ? * SAT-SUN *)", "2026-11-28T12:00:00Z", "2026-11-29T00:00:00Z 2026-12-05T00:00:00Z"},
		{"rate(5 minutes)", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z 2026-01-01T00:10:00Z"},
		{"rate(1 day)", "2026-01-01T00:00:01Z", "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z"},

		// clocks put forward at 2:00 and back at 3:00: what is not shown is left out, what is shown twice comes once
		{"cron(30 2 * * ? *)?timezone=Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z"},
		{"cron(30 2 * * ? *)?timezone=Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"cron(0/30 * * * ? *)?timezone=Europe/Berlin", "2026-10-24T23:45:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T02:00:00Z"},
		{"cron(0/30 * * * ? *)?timezone=Europe/Berlin", "2026-03-29T00:15:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z"},
		{"cron(0 2 * * ? *)?timezone=America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T06:00:00Z"},
		{"cron(15 2 * * ? *)?timezone=Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-04T15:15:00Z"}, // by half an hour
		{"cron(0 12 * * ? *)?timezone=Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-29T22:00:00Z 2011-12-30T22:00:00Z"},
	} {
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range max(1, len(strings.Fields(c.want))) {
			next, ok := schedule.Next(t, "schedule:"+c.text, after)
			if !ok {
				break
			}
			got, after = append(got, next.UTC().Format(time.RFC3339)), next
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s after %s: %s, want %s", c.text, c.after, text, c.want)
		}
	}
}

// times are those of the events that a function got.
func times(f *eventsourcetest.Function) []string {
	var all []string
	for _, in := range f.Inputs() {
		_, after, _ := strings.Cut(string(in.Payload), `"time":"`)
		all = append(all, after[:len("2000-01-01T00:00:00Z")])
	}
	return all
}

// TestOnce ends and starts a schedule again and again: each tick comes once, from whichever run.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := suite(), &eventsourcetest.Function{}
		var want []string
		from := time.Now()
		for i := range 60 {
			source, err := eventsource.Set{s.Kind}.Parse(eventsourcetest.Stage(), "schedule:rate(1 minute)")
			if err != nil {
				t.Fatal(err)
			}
			m := &eventsource.Mapping{Stage: eventsourcetest.Stage(), Function: "work", Source: source.String(), From: from}
			eventsourcetest.RunFor(t, source, m, f, time.Duration(i)*time.Second)
			from = m.State().Through
		}
		for at := time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC); !at.After(time.Now()); at = at.Add(time.Minute) {
			want = append(want, at.Format(time.RFC3339))
		}
		if got := times(f); !slices.Equal(got, want) {
			t.Errorf("ticks %v, want %v", got, want)
		}
	})
}

// TestMissed leaves a gap of an hour, as when a machine sleeps, and goes on after it without the ticks in it.
func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &eventsourcetest.Function{}
		from := time.Now()
		time.Sleep(time.Hour + 30*time.Second)
		source, err := eventsource.Set{schedule.Kind{}}.Parse(eventsourcetest.Stage(), "schedule:rate(10 minutes)")
		if err != nil {
			t.Fatal(err)
		}
		m := &eventsource.Mapping{Stage: eventsourcetest.Stage(), Function: "work", Source: source.String(), From: from}
		eventsourcetest.RunFor(t, source, m, f, 10*time.Minute)
		if got := times(f); !slices.Equal(got, []string{"2000-01-01T01:00:00Z", "2000-01-01T01:10:00Z"}) {
			t.Errorf("ticks %v", got)
		}
	})
}

// TestTriesAgain has the event refused first: it is passed on later, with the same id.
func TestTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &eventsourcetest.Function{}
		f.Answer = func(aloft.InvokeInput) (aloft.Invoked, error) {
			if len(f.Inputs()) < 3 {
				return aloft.Invoked{}, errors.New("the disk is full")
			}
			return aloft.Invoked{}, nil
		}
		m, stop := eventsourcetest.Start(t, suite(), "schedule:rate(5 minutes)", f)
		time.Sleep(5*time.Minute + 500*time.Millisecond)
		if text := m.State().Error; !strings.Contains(text, "the disk is full") {
			t.Errorf("the state says %q", text)
		}
		time.Sleep(time.Minute)
		stop()
		in := f.Inputs()
		if len(in) != 3 || in[0].RequestID == "" || in[0].RequestID != in[2].RequestID || string(in[0].Payload) != string(in[2].Payload) {
			t.Errorf("it was tried %d times: %+v", len(in), in)
		}
		if state := m.State(); state.Error != "" || state.Events != 1 || state.Next != time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC) {
			t.Errorf("the state is %+v", state)
		}
	})
}

func FuzzParse(f *testing.F) {
	for text := range suite().Good {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set := eventsource.Set{schedule.Kind{}}
		canonical, err := set.Canonical("schedule:" + text)
		if err != nil {
			return
		}
		if again, err := set.Canonical(canonical); err != nil || again != canonical {
			t.Fatalf("%q is %q, which is %q, %v", text, canonical, again, err)
		}
	})
}
