package shim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/shim/shimtest"
)

// TestEvents posts events to the server, whose answer is the function's.
func TestEvents(t *testing.T) {
	spec := self(t, "events")
	spec.EventPath, spec.Sources = "/in", map[string]string{
		"shop-jobs": "jobs", "arn:aws:sns:eu-central-1:1:shop-orders": "orders", "shop-uploads": "uploads", "shop-clicks": "clicks", "shop-table": "table", "shop-nightly": "nightly",
	}
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: spec})
	<-l.Session.Ready()
	for event, want := range map[string]string{
		`{"Records":[{"messageId":"1","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-central-1:1:shop-jobs"}]}`:                           "POST /in/jobs jobs",
		`{"Records":[{"EventSource":"aws:sns","Sns":{"TopicArn":"arn:aws:sns:eu-central-1:1:shop-orders"}}]}`:                                       "POST /in/orders orders",
		`{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"shop-uploads"}}}]}`:                                                            "POST /in/uploads uploads",
		`{"Records":[{"eventSource":"aws:kinesis","eventSourceARN":"arn:aws:kinesis:eu-central-1:1:stream/shop-clicks"}]}`:                          "POST /in/clicks clicks",
		`{"Records":[{"eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:eu-central-1:1:table/shop-table/stream/2026-01-01T00:00"}]}`:  "POST /in/table table",
		`{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-central-1:1:foreign"}]}`:                                             "POST /in/foreign foreign",
		`{"source":"aws.events","detail-type":"Scheduled Event","resources":["arn:aws:events:eu-central-1:1:rule/x"],"detail":{}}`:                  "POST /in/schedule schedule",
		`{"detail-type":"Scheduled Event","source":"aws.scheduler","resources":["arn:aws:scheduler:eu-central-1:1:schedule/default/shop-nightly"]}`: "POST /in/nightly nightly",
		`{"hello":"world"}`: "POST /in ",
		`[1, 2]`:            "POST /in ",
	} {
		reply, err := l.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		var said string
		if err := json.Unmarshal(reply.Payload, &said); err != nil || said != want+" application/json request Root "+event {
			t.Errorf("%s is answered %s %v", event, reply.Payload, reply.Failure)
		}
	}
	for event, want := range map[string]string{`{"do":"fail"}`: "POST /in was answered with status 500 Internal Server Error: it cannot", `{"do":"exit"}`: "POST /in was not answered: the server closed the connection"} {
		reply, err := l.Invoke(t.Context(), []byte(event))
		if err != nil || reply.Failure == nil || reply.Failure.Type != "HTTPError" || !strings.Contains(string(reply.Failure.Payload), want) {
			t.Errorf("%s fails with %+v, %v", event, reply.Failure, err)
		}
	}
	if reply, err := l.Invoke(t.Context(), []byte(`{"do":"words"}`)); err != nil || string(reply.Payload) != "null" {
		t.Errorf("words are answered %s, %v", reply.Payload, err)
	}
	if reply, err := l.Invoke(t.Context(), []byte(`{"requestContext":{"http":{"method":"G T"}},"rawPath":"/"}`)); err != nil || reply.Failure == nil {
		t.Errorf("a malformed event is answered %+v, %v", reply, err)
	}
	g := l.Gateway(t, lambdahttp.FunctionURL)
	if status, _ := get(t, g.URL+"/in/jobs"); status != http.StatusNotFound {
		t.Errorf("a stranger's event is answered %d", status)
	}
}

// TestRequestLog: one line of JSON for each request, without its query.
func TestRequestLog(t *testing.T) {
	spec := self(t, "port")
	spec.RequestLog = true
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: spec})
	<-l.Session.Ready()
	get(t, l.Gateway(t, lambdahttp.FunctionURL).URL+"/path?token=secret")
	l.Output.Await(t, `"path":"/path"`)
	for line := range strings.Lines(l.Output.String()) {
		var seen struct {
			Type, Method, Path, RequestID, Trace string
			Status, Bytes                        int
			MS                                   float64
		}
		if json.Unmarshal([]byte(line), &seen) != nil {
			continue
		}
		if seen.Type != "request" || seen.Method != http.MethodGet || seen.Status != 200 || seen.Bytes != len("GET /path?token=secret ") || seen.RequestID != "request-1" || seen.Trace == "" || seen.MS <= 0 || strings.Contains(line, "secret") {
			t.Errorf("the line is %s", line)
		}
	}
}

// TestManyAtOnce: an environment of Managed Instances gets several invocations at once.
func TestManyAtOnce(t *testing.T) {
	l := shimtest.Start(t, shimtest.Function{Shim: build(t), Dir: t.TempDir(), Spec: self(t, "events"), Env: []string{"AWS_LAMBDA_MAX_CONCURRENCY=4"}})
	<-l.Session.Ready()
	var all sync.WaitGroup
	for range 4 { // each is answered when all four are there
		all.Go(func() {
			reply, err := l.Invoke(t.Context(), []byte(`{"do":"meet"}`))
			if err != nil || string(reply.Payload) != `"met"` {
				t.Errorf("the answer is %+v, %v", reply, err)
			}
		})
	}
	all.Wait()
}

// TestSlowStart: the first request waits for a server that takes longer than Lambda's init, and environments that are made ahead of
// requests, which have more time for that, take none before.
func TestSlowStart(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds")
	}
	t.Parallel()
	bootstrap := build(t)
	for how, ahead := range map[string]bool{"on-demand": false, "": false, "provisioned-concurrency": true, "snap-start": true} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			l := shimtest.Start(t, shimtest.Function{
				Shim: bootstrap, Dir: t.TempDir(), Spec: self(t, "late"), Timeout: 20 * time.Second, Env: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=" + how},
			})
			<-l.Session.Ready()
			if f := l.Session.InitFailure(); f != nil {
				t.Fatalf("the initialisation failed: %+v", f)
			}
			if status, body := get(t, l.Gateway(t, lambdahttp.FunctionURL).URL+"/"); status != http.StatusOK {
				t.Errorf("the first request is answered %d %s", status, body)
			}
			if strings.Contains(l.Output.String(), "is not ready after 9.5s") == ahead {
				t.Errorf("the log says\n%s", l.Output)
			}
		})
	}
}
