package runtimeapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

const telemetryPath = "/2022-07-01/telemetry"

// record is what subscribers get.
type record struct {
	Time   time.Time
	Type   string
	Record json.RawMessage
}

// offering is a bench that offers telemetry, with an extension and where it listens.
func offering(t *testing.T, listen http.HandlerFunc) (b *bench, extension, port string) {
	t.Helper()
	b = newBench(t)
	b.Offer(runtimeapi.Telemetry{Function: "create", Version: "3", Dial: func(ctx context.Context, port int) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprint("127.0.0.1:", port))
	}})
	res, _ := b.send(t, "POST", "/2020-01-01/extension/register", strings.NewReader(`{"events":[]}`), "Lambda-Extension-Name", "watch")
	server := httptest.NewServer(listen)
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return b, res.Header.Get("Lambda-Extension-Identifier"), port
}

// records collects what comes; each is sent to the channel.
func records(t *testing.T, out chan<- record) http.HandlerFunc {
	t.Helper()
	return func(_ http.ResponseWriter, r *http.Request) {
		var batch []record
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil || r.Method != http.MethodPost || len(batch) == 0 {
			t.Errorf("%s of %d records, %v", r.Method, len(batch), err)
		}
		for _, got := range batch {
			out <- got
		}
	}
}

func TestTelemetry(t *testing.T) {
	t.Parallel()
	got := make(chan record, 100)
	b, id, port := offering(t, records(t, got))
	subscribe := func(path string) {
		body := `{"schemaVersion":"2022-12-13","types":["platform","function"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:` + port + `/x"}}`
		if res, text := b.send(t, "PUT", path, strings.NewReader(body), "Lambda-Extension-Identifier", id); res.StatusCode != http.StatusOK {
			t.Fatalf("subscribe is answered %s %s", res.Status, text)
		}
	}
	expect := func(kind string, parts ...string) {
		t.Helper()
		var r record
		select {
		case r = <-got:
		case <-time.After(time.Minute):
			t.Fatalf("no %s comes", kind)
		}
		if r.Type != kind || r.Time.IsZero() {
			t.Errorf("got %s %s at %s, want %s", r.Type, r.Record, r.Time, kind)
		}
		for _, part := range parts {
			if !strings.Contains(string(r.Record), part) {
				t.Errorf("%s is %s, want %s", kind, r.Record, part)
			}
		}
	}
	subscribe(telemetryPath)
	expect("platform.initStart", `"functionName":"create"`, `"functionVersion":"3"`)
	expect("platform.telemetrySubscription", `"name":"watch"`, `"Subscribed"`)
	b.runtime(t, func(id, event string) {
		b.Tell("function", time.Now(), func() any { return "prints " + event })
		what := "/response"
		if event == "fails" {
			what = "/error"
		}
		b.send(t, "POST", invocation+id+what, strings.NewReader(`{}`))
	})
	for _, event := range []string{"works", "fails"} {
		if _, err := b.Invoke(t.Context(), &runtimeapi.Call{ID: "id-" + event, Payload: []byte(event)}); err != nil {
			t.Fatal(err)
		}
		expect("platform.start", `"requestId":"id-`+event, `"version":"3"`)
		expect("function", `"prints `+event)
		expect("platform.runtimeDone", `"requestId":"id-`+event, `"durationMs":`, map[string]string{"works": `"success"`, "fails": `"error"`}[event])
	}
	subscribe("/2020-08-15/logs") // instead of the first subscription
	expect("platform.logsSubscription")
	b.Tell("platform.initReport", time.Now(), func() any { return "nothing of the older API" })
	b.Tell("platform.report", time.Now(), func() any { return "told once" })
	expect("platform.report", "told once")
	b.Close()
	if len(got) > 0 {
		t.Errorf("more records: %+v", <-got)
	}
}

// TestSlowSubscriber: what a subscriber does not take is bounded and counted.
func TestSlowSubscriber(t *testing.T) {
	t.Parallel()
	got, open := make(chan record, 100_000), make(chan struct{})
	collect := records(t, got)
	b, id, port := offering(t, func(w http.ResponseWriter, r *http.Request) {
		<-open
		collect(w, r)
	})
	body := `{"types":["function"],"buffering":{"timeoutMs":25,"maxItems":1000},"destination":{"protocol":"HTTP","URI":"http://sandbox:` + port + `"}}`
	if res, text := b.send(t, "PUT", telemetryPath, strings.NewReader(body), "Lambda-Extension-Identifier", id); res.StatusCode != http.StatusOK {
		t.Fatalf("subscribe is answered %s %s", res.Status, text)
	}
	const told = 20_000
	for range told {
		b.Tell("function", time.Now(), func() any { return "x" })
	}
	close(open)
	taken, dropped := 0, 0
	for taken+dropped < told {
		r := <-got
		if r.Type == "function" {
			taken++
			continue
		}
		var said struct{ DroppedRecords int }
		if err := json.Unmarshal(r.Record, &said); err != nil || r.Type != "platform.logsDropped" || said.DroppedRecords < 1 {
			t.Fatalf("%s %s, %v", r.Type, r.Record, err)
		}
		dropped += said.DroppedRecords
	}
	if taken+dropped != told || taken > 5000 { // a batch under way, and two that wait
		t.Errorf("%d were taken, %d dropped", taken, dropped)
	}
}

func TestBadSubscriptions(t *testing.T) {
	t.Parallel()
	b, id, _ := offering(t, nil)
	for body, want := range map[string]string{
		`{`: "400",
		`{"types":["function"],"destination":{"protocol":"TCP","port":1}}`:                                                              "400 HTTP is served",
		`{"types":["function"],"destination":{"protocol":"HTTP","URI":"http://example.com:80"}}`:                                        "400 sandbox.localdomain",
		`{"types":["function"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain"}}`:                                   "400 has no port",
		`{"types":["metrics"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1"}}`:                                  "400 metrics",
		`{"types":[],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1"}}`:                                           "400 types",
		`{"types":["function"],"buffering":{"maxBytes":9},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1"}}`:      "400 buffering.maxBytes",
		`{"types":["function"],"buffering":{"timeoutMs":99999},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:1"}}`: "400 buffering.timeoutMs",
	} {
		status, says, _ := strings.Cut(want, " ")
		if res, text := b.send(t, "PUT", telemetryPath, strings.NewReader(body), "Lambda-Extension-Identifier", id); fmt.Sprint(res.StatusCode) != status || !strings.Contains(text, says) {
			t.Errorf("%s is answered %s %s, want %s", body, res.Status, text, want)
		}
	}
	if res, _ := b.send(t, "PUT", telemetryPath, strings.NewReader(`{}`), "Lambda-Extension-Identifier", "nobody"); res.StatusCode != http.StatusForbidden {
		t.Errorf("nobody's subscription is answered %s", res.Status)
	}
	if res, text := newBench(t).send(t, "PUT", telemetryPath, strings.NewReader(`{}`)); res.StatusCode != http.StatusAccepted || !strings.Contains(text, "Telemetry.NotSupported") {
		t.Errorf("where it is not offered: %s %s", res.Status, text)
	}
}
