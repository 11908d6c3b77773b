package local_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// sourced is version n whose web function gets events.
func sourced(n int) aloft.Release {
	r := release(n)
	r.Functions[0].EventSources = []string{"queue:jobs"}
	r.Functions[0].Timeout = aloft.Duration(2 * time.Second)
	return r
}

func job(payload string) aloft.InvokeInput {
	return aloft.InvokeInput{Stage: shop, Function: "web", Source: "jobs", Payload: []byte(payload)}
}

// told is what the server of enginetest tells of an event.
type told struct {
	Greeting, Method, Path, Host, Body string
	Header                             http.Header
}

// TestWebEvents: a web function gets an event as a POST, and its status and body are the answer.
func TestWebEvents(t *testing.T) {
	w := newWorld(t)
	w.apply(t, sourced(3))
	input := job(`{"Records": []}`)
	input.RequestID = "11111111-2222-4333-8444-555555555555"
	invoked, err := w.Invoke(t.Context(), input)
	if err != nil || invoked.FunctionError != "" || invoked.Release != 3 || invoked.RequestID != input.RequestID || invoked.Elapsed <= 0 {
		t.Fatalf("the event came to %+v, %v: %s", invoked, err, invoked.Payload)
	}
	var got told
	if err := json.Unmarshal(invoked.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.Path != "/events/jobs" || got.Host != host || got.Body != `{"Records": []}` ||
		got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Aloft-Event-Source") != "jobs" ||
		got.Header.Get("X-Request-Id") != input.RequestID || got.Header.Get("Content-Length") != strconv.Itoa(len(got.Body)) {
		t.Errorf("the app was told %+v", got)
	}
	for _, c := range []struct{ payload, failure, says string }{
		{`{"status": 202, "text": "{\"batchItemFailures\": []}"}`, "", `{"batchItemFailures": []}`},
		{`{"status": 204}`, "", "null"},
		{`{"status": 200, "text": "done, thank you"}`, "", "null"},
		{`{"status": 500, "text": "no such table"}`, "HTTPError", "no such table"},
		{`{"status": 302}`, "HTTPError", "status 302 Found"},
		{`{"status": 404}`, "HTTPError", "POST /events/jobs was answered with status 404"},
		{`{"sleep": "5s"}`, "Sandbox.Timedout", "was not answered within 2s"},
		{`{"crash": true}`, "HTTPError", "was not answered"},
	} {
		invoked, err := w.Invoke(t.Context(), job(c.payload))
		if err != nil || invoked.FunctionError != c.failure || !strings.Contains(string(invoked.Payload), c.says) {
			t.Errorf("%s came to %q %s, %v; want %q and %q", c.payload, invoked.FunctionError, invoked.Payload, err, c.failure, c.says)
		}
	}
	if _, err := w.Invoke(t.Context(), aloft.InvokeInput{Stage: shop, Function: "web", Payload: []byte("1")}); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("an event without a source: %v, want NotFound", err)
	}
	if route := w.table.Lookup(host); route.Hidden != "/events" {
		t.Errorf("the route hides %q", route.Hidden)
	}
}

// TestWebEventPath puts events elsewhere, and a source's name into one segment.
func TestWebEventPath(t *testing.T) {
	w := newWorld(t)
	r := sourced(1)
	r.Functions[0].EventPath = "/events/of/mine"
	w.apply(t, r)
	input := job("1")
	input.Source = "a/../b c"
	invoked, err := w.Invoke(t.Context(), input)
	var got told
	if err != nil || json.Unmarshal(invoked.Payload, &got) != nil || got.Path != "/events/of/mine/a%2F..%2Fb%20c" {
		t.Errorf("the app was told %+v, %v", got, err)
	}
	if route := w.table.Lookup(host); route.Hidden != "/events/of/mine" {
		t.Errorf("the route hides %q", route.Hidden)
	}
}

// TestWebEventsDuringSwitches: no event is lost or refused while releases change, and the answer is of the release that is named.
func TestWebEventsDuringSwitches(t *testing.T) {
	w := newWorld(t)
	w.apply(t, sourced(1))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				invoked, err := w.Invoke(t.Context(), job("{}"))
				if err != nil || invoked.FunctionError != "" {
					t.Errorf("an event during a switch: %v, %s", err, invoked.Payload)
					return
				}
			}
		})
	}
	for n := 2; n < 8; n++ {
		w.apply(t, sourced(n))
	}
	close(done)
	wg.Wait()
	if err := w.Stop(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Invoke(t.Context(), job("{}")); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("an event for a stopped stage: %v, want Unavailable", err)
	}
}
