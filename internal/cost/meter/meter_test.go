package meter_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
	"github.com/aloft-run/aloft/internal/cost/meter"
)

// lines is a log.
type lines []aloft.LogLine

func (l lines) Logs(_ context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		for _, line := range l {
			if !line.Time.Before(query.Since) && !yield(line, nil) {
				return
			}
		}
	}
}

// old is a request from before the time that is measured.
func old(function string) aloft.LogLine {
	return aloft.LogLine{
		Time:     time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
		Function: function, Stream: "access", Text: "GET / 200 1B 1.000ms ::1",
	}
}

func measure(t *testing.T, log lines, functions ...aloft.Function) (meter.Measured, error) {
	t.Helper()
	until := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for i := range log {
		if log[i].Time.IsZero() {
			log[i].Time = until.Add(-time.Hour)
		}
	}
	l := meter.Logs{Service: log, Functions: functions, Endpoint: cost.HTTPAPI, Arch: cost.ARM64, Until: until}
	return l.Usage(t.Context(), aloft.StageRef{App: "shop", Stage: "staging"}, until.Add(-12*time.Hour))
}

func TestWebRequests(t *testing.T) {
	web := aloft.Function{Name: "web", Kind: aloft.Web}
	m, err := measure(t, lines{
		old("web"),
		{Function: "web", Instance: "web-1", Stream: "access", Text: "GET / 200 1000B 10.001ms 127.0.0.1"},
		{Function: "web", Instance: "web-1", Stream: "access", Text: "GET /a 404 3000B 29.000ms ::1 cut"},
		{Function: "web", Instance: "web-1", Stream: "access", Text: "no line of ours"},
		{Function: "web", Stream: "access", Text: "GET /logo.svg 200 900B 0.100ms ::1"},
		{Function: "web", Stream: "stdout", Text: strings.Repeat("x", 199)},
		{Function: "web", Stream: "run", Text: "of a one-off command"},
		{Stream: "aloft", Text: "of the stage"},
	}, web, aloft.Function{Name: "idle", Kind: aloft.Web}, aloft.Function{Name: "mail", Kind: aloft.Worker})
	if err != nil || len(m.Functions) != 1 || len(m.Left) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	u := m.Functions[0]
	if u.Requests.Fixed(2) != "4.00" || time.Duration(u.Duration) != 20*time.Millisecond || u.ResponseBytes != 2000 || u.LogBytes != 100+meter.OwnLines {
		t.Errorf("%+v", u)
	}
	if u.Memory != 1024 || u.Endpoint != cost.HTTPAPI || u.Arch != cost.ARM64 || u.Provisioned != 0 {
		t.Errorf("%+v", u)
	}
	if _, err := cost.New(cost.Stage{Functions: m.Functions}); err != nil {
		t.Error(err)
	}
}

func TestHandlerWithEvents(t *testing.T) {
	report := "REPORT RequestId: a\tDuration: 1.20 ms\tBilled Duration: 2 ms\tMemory Size: 512 MB\tMax Memory Used: 9 MB"
	m, err := measure(t, lines{
		old("create"),
		{Function: "create", Stream: "aloft", Text: report + "\tInit Duration: 100.00 ms"},
		{Function: "create", Stream: "aloft", Text: report},
		{Function: "create", Stream: "aloft", Text: report},
		{Function: "create", Stream: "stdout", Text: report}, // a function may print what it likes
		{Function: "create", Stream: "access", Text: "POST /create 200 10B 5.000ms 127.0.0.1"},
	}, aloft.Function{Name: "create", Kind: aloft.Handler, Memory: 512})
	if err != nil || len(m.Functions) != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	u := m.Functions[0]
	if u.Requests.Fixed(0) != "2" || u.Events.Fixed(0) != "4" || u.Endpoint != cost.HTTPAPI || u.ResponseBytes != 10 || u.Memory != 512 {
		t.Errorf("%+v", u)
	}
	if u.Duration.String() != "2ms" || u.ColdStarts.Fixed(0) != "2" || u.Init.String() != "100ms" {
		t.Errorf("durations: %+v", u)
	}
}

// TestYoungLog: a log that begins later than asked for covers less time; damage in it is told.
func TestYoungLog(t *testing.T) {
	until := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	started := aloft.LogLine{Time: until.Add(-2 * time.Hour), Function: "web", Stream: "aloft", Text: "started"}
	missing := aloft.LogLine{Stream: "aloft", Text: "7 lines are missing here: the log reached its limit, or its file is damaged"}
	access := aloft.LogLine{Function: "web", Instance: "web-1", Stream: "access", Text: "GET / 200 10B 5.000ms 127.0.0.1"}
	m, err := measure(t, lines{started, missing, access}, aloft.Function{Name: "web", Kind: aloft.Web})
	if err != nil || !m.Since.Equal(started.Time) || m.Functions[0].Requests.Fixed(0) != "12" || len(m.Left) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	late := access
	late.Time = until
	if _, err := measure(t, lines{started, late}, aloft.Function{Name: "web", Kind: aloft.Web}); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("a request after the time: %v", err)
	}
}

func TestNothingMeasured(t *testing.T) {
	_, err := measure(t, lines{{Function: "files", Stream: "access", Text: "GET / 200 10B 5.000ms 127.0.0.1"}},
		aloft.Function{Name: "web", Kind: aloft.Web}, aloft.Function{Name: "files", Kind: aloft.Static})
	if aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("%v", err)
	}
}
