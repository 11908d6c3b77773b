package metrics_test

import (
	"iter"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/metrics"
)

var until = time.Date(2026, 11, 29, 12, 30, 0, 0, time.UTC)

func log(lines ...aloft.LogLine) iter.Seq2[aloft.LogLine, error] {
	return func(yield func(aloft.LogLine, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}

func request(before time.Duration, function, instance, text string) aloft.LogLine {
	return aloft.LogLine{Time: until.Add(-before), Function: function, Instance: instance, Stream: "access", Text: text}
}

// Requests count for the gateway and for the web function that answered them, events for their handler; each in its bucket.
func TestFromLog(t *testing.T) {
	t.Parallel()
	g := metrics.GridOf(time.Hour, 30*time.Minute, until.Add(10*time.Minute))
	report := aloft.LogLine{Time: until.Add(-time.Minute), Function: "work", Stream: "aloft", Text: "REPORT RequestId: a\tDuration: 5.50 ms\tBilled Duration: 6 ms"}
	printed := report
	printed.Stream = "stdout"
	got, err := metrics.FromLog(log(
		request(5*time.Hour, "web", "web.1", "GET / 200 1B 1.000ms ::1"), // too old
		request(40*time.Minute, "web", "web.1", "GET / 200 1B 10.000ms ::1"),
		request(40*time.Minute-5*time.Millisecond, "web", "web.1", "GET / 500 1B 30.000ms ::1"), // began before, ended after
		request(time.Minute, "web", "web.1", "GET / 404 1B 20.000ms ::1"),
		request(time.Minute, "files", "", "GET /a.css 200 1B 1.000ms ::1"),
		request(time.Minute, "work", "", "POST /work 502 1B 9.000ms ::1"),
		request(time.Minute, "web", "web.1", "nonsense"), report, printed,
	), []aloft.Function{{Name: "web", Kind: aloft.Web}, {Name: "work", Kind: aloft.Handler}, {Name: "clock", Kind: aloft.Worker}}, g)
	if err != nil || len(got.Functions) != 2 || len(got.Gateways) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	web, work, all := got.Functions[0], got.Functions[1], got.Gateways[0]
	if web.Total.Invocations != 3 || web.Total.Errors != 1 || web.Total.Concurrency != 2 || web.Total.Duration != (metrics.Latency{Average: 20, P50: 20, P95: 30, P99: 30}) {
		t.Errorf("web: %+v", web.Total)
	}
	if len(web.Buckets) != 3 || web.Buckets[0].Invocations != 2 || web.Buckets[1].Invocations != 1 || web.Buckets[1].Concurrency != 1 || !web.Buckets[1].Time.Equal(until.Add(-30*time.Minute)) {
		t.Errorf("web in buckets: %+v", web.Buckets)
	}
	if work.Total.Invocations != 1 || work.Total.Errors != 1 || work.Total.Duration.P50 != 5.5 {
		t.Errorf("work: %+v", work.Total)
	}
	if all.Total.Count != 5 || all.Total.ClientErrors != 1 || all.Total.ServerErrors != 2 {
		t.Errorf("gateway: %+v", all.Total)
	}
}

// What takes longer than a bucket goes on in all that it touches.
func TestLongOnes(t *testing.T) {
	t.Parallel()
	g := metrics.GridOf(3*time.Minute, time.Minute, until)
	got, err := metrics.FromLog(log(request(10*time.Second, "web", "web.1", "GET / 200 1B 150000.000ms ::1")), []aloft.Function{{Name: "web", Kind: aloft.Web}}, g)
	if err != nil {
		t.Fatal(err)
	}
	for i, bucket := range got.Functions[0].Buckets {
		if bucket.Concurrency != 1 {
			t.Errorf("bucket %d: %+v", i, bucket)
		}
	}
}
