package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
	"github.com/aloft-run/aloft/internal/eventsource/queue"
)

// fake is a queue in memory with the rules of SQS: visibility, and groups in order.
type fake struct {
	visibility  time.Duration
	maxReceives int // 0: any number

	mu       sync.Mutex
	messages []*message
	receives int
	dead     int // received too often
}

type message struct {
	queue.Message

	group    string
	trace    string
	due      time.Time
	received int
}

func (f *fake) send(bodies ...string) { f.traced("", bodies...) }

func (f *fake) traced(trace string, bodies ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, body := range bodies {
		group, _, grouped := strings.Cut(body, "/")
		if !grouped {
			group = ""
		}
		f.messages = append(f.messages, &message{Message: queue.Message{ID: "id-" + body, Body: body}, group: group, trace: trace, due: time.Now()})
	}
}

func (f *fake) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.messages)
}

func (f *fake) Receive(ctx context.Context, name string, most int, wait time.Duration) ([]queue.Message, error) {
	if strings.HasPrefix(name, "shop-missing") {
		return nil, aloft.Errorf(aloft.NotFound, "there is no queue %q", name)
	}
	for end := time.Now().Add(wait); ; {
		if got := f.take(most); len(got) > 0 || !time.Now().Before(end) {
			return got, nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *fake) take(most int) (got []queue.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.receives++
	busy := map[string]bool{}
	f.messages = slices.DeleteFunc(f.messages, func(m *message) bool {
		gone := f.maxReceives > 0 && m.received >= f.maxReceives && !m.due.After(time.Now())
		if gone {
			f.dead++
		}
		return gone
	})
	for _, m := range f.messages {
		switch hidden := m.due.After(time.Now()); {
		case hidden && m.group != "":
			busy[m.group] = true
		case hidden || busy[m.group] || len(got) == most:
		default:
			m.received++
			m.due, m.Receipt = time.Now().Add(f.visibility), m.ID+"#"+strconv.Itoa(m.received)
			m.System = map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.received)}
			if m.trace != "" {
				m.System["AWSTraceHeader"] = m.trace
			}
			got = append(got, m.Message)
		}
	}
	return got
}

func (f *fake) Delete(_ context.Context, _ string, receipts []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = slices.DeleteFunc(f.messages, func(m *message) bool { return slices.Contains(receipts, m.Receipt) })
	return nil
}

func (f *fake) Return(_ context.Context, _ string, receipts []string, after time.Duration, unseen bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.messages {
		if slices.Contains(receipts, m.Receipt) {
			m.due = time.Now().Add(after)
			if unseen {
				m.received--
				m.Receipt += "-"
			}
		}
	}
	return nil
}

func suite(f *fake) eventsourcetest.Suite {
	return eventsourcetest.Suite{
		Kind: queue.Kind{Queues: f}, Runs: "queue:jobs", Deliver: func(*testing.T) { f.send("one") },
		Good: map[string]string{
			"queue:jobs":               "queue:jobs",
			"queue:jobs?batch=10":      "queue:jobs",
			"queue:jobs?batch=5":       "queue:jobs?batch=5",
			"queue:jobs.fifo?batch=10": "queue:jobs.fifo",
			"queue:jobs?window=5&batch=10000&maximum-concurrency=2":             "queue:jobs?batch=10000&maximum-concurrency=2&window=5s",
			"arn:aws:sqs:us-east-1:000000000000:shop-jobs-staging":              "queue:jobs",
			`queue:jobs?filter={ "body": {"n": [1.0]}}`:                         `queue:jobs?filter={"body":{"n":[1.0]}}`,
			`queue:jobs?filter={"body":["\u007F\uFFFD%EF%BF%BD%7f\ud800"]}`:     `queue:jobs?filter={"body":["\u007f\ufffd\ufffd\u007f\ufffd"]}`,
			`queue:jobs?filter=[{"body":["a%26b"]}, {"body":{"n":[1]}}]`:        `queue:jobs?filter=[{"body":["a%26b"]},{"body":{"n":[1]}}]`,
			"arn:aws:sqs:us-east-1:000000000000:shop-jobs-staging.fifo?batch=1": "queue:jobs?batch=1",
			"arn:aws:sqs:us-east-1:000000000000:other-jobs?batch=2":             "arn:aws:sqs:us-east-1:000000000000:other-jobs?batch=2",
		},
		Bad: map[string]string{
			"queue:jobs?batch=0":                   `batch is a whole number from 1 to 10000, not "0"`,
			"queue:jobs?batch=10001&window=5s":     "10000",
			"queue:jobs?batch=11":                  "window of at least 1s",
			"queue:jobs?window=6m":                 "0s to 5m",
			"queue:jobs?window=soon":               "duration",
			"queue:jobs?window=18446744074":        "0s to 5m", // in nanoseconds it is 0.3 s, in 64 bits
			"queue:jobs.fifo?window=1s":            "no window",
			"queue:jobs.fifo?batch=11":             "at most 10",
			"queue:jobs?maximum-concurrency=0":     "from 1 to 1000",
			"queue:jobs?filter=new":                "no JSON",
			`queue:jobs?filter="new"`:              "a pattern is a map",
			`queue:jobs?filter={"body":"new"}`:     "conditions are a list",
			"queue:a b":                            "cannot be the name",
			"queue:" + strings.Repeat("a", 81):     "cannot be the name",
			"arn:aws:sqs:us-east-1:000000000000":   "no ARN",
			"arn:aws:dynamodb:us-east-1:0:table/x": "ARNs of dynamodb are no event sources; those of sqs are",
			"queue:jobs?batch=%zz":                 "badly escaped",
		},
	}
}

func TestLaws(t *testing.T) {
	eventsourcetest.Run(t, suite(&fake{}))
	synctest.Test(t, func(t *testing.T) { eventsourcetest.Delivers(t, suite(&fake{visibility: time.Minute})) })
}

// bodies are those of the messages in an event.
func bodies(in aloft.InvokeInput) (all []string) {
	var e events.SQSEvent
	_ = json.Unmarshal(in.Payload, &e)
	for _, r := range e.Records {
		all = append(all, r.Body)
	}
	return all
}

// TestEvent compares with the example of https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and with AWS's own type.
func TestEvent(t *testing.T) {
	text := "myValue"
	got := queue.Event("shop-jobs-staging", []queue.Message{{
		ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Receipt: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", Body: "Test message.",
		System:     map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
		Attributes: map[string]queue.Attribute{"myAttribute": {Type: "String", Text: text}, "bytes": {Type: "Binary", Binary: []byte{1, 2}}}, AttributesMD5: "ab",
	}})
	eventsourcetest.Same(t, got, []byte(`{"Records": [{
		"messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": "Test message.",
		"attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
		"messageAttributes": {"myAttribute": {"stringValue": "myValue", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
			"bytes": {"binaryValue": "AQI=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"}},
		"md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "md5OfMessageAttributes": "ab", "eventSource": "aws:sqs",
		"eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:shop-jobs-staging", "awsRegion": "us-east-1"}]}`))
	e := eventsourcetest.SameShape[events.SQSEvent](t, got)
	if r := e.Records[0]; *r.MessageAttributes["myAttribute"].StringValue != text || string(r.MessageAttributes["bytes"].BinaryValue) != "\x01\x02" {
		t.Errorf("AWS's type reads %+v", r)
	}
}

// TestFilter: messages that no pattern lets through are deleted, and the function sees the others. A body that is JSON and a
// pattern that asks for text, and the other way about, do not fit:
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
func TestFilter(t *testing.T) {
	sent := []string{`new`, `newer`, `{"kind":"new","n":5}`, `{"kind":"old","n":7}`, `["new"]`, `"new"`, `{"kind":`, ``}
	for filter, want := range map[string][]string{
		`{"body":["new"]}`:                                        {`new`},
		`{"body":[{"prefix":"new"}]}`:                             {`new`, `newer`},
		`{"body":{"kind":["new"]}}`:                               {`{"kind":"new","n":5}`},
		`{"body":{"kind":[{"exists":false}]}}`:                    {`["new"]`},
		`{"body":[{"exists":false}]}`:                             nil,
		`[{"body":{"n":[{"numeric":[">",6]}]}},{"body":["new"]}]`: {`new`, `{"kind":"old","n":7}`},
		`{"body":{"$or":[{"kind":["new"]},{"n":[7]}]}}`:           {`{"kind":"new","n":5}`, `{"kind":"old","n":7}`},
		`{"attributes":{"ApproximateReceiveCount":["1"]}}`:        sent,
		`{"messageAttributes":{"a":{"stringValue":["b"]}}}`:       nil,
	} {
		t.Run(filter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, function := &fake{visibility: time.Minute}, &eventsourcetest.Function{}
				f.send(sent...)
				mapping, stop := eventsourcetest.Start(t, suite(f), "queue:jobs?filter="+filter, function)
				for f.left() > 0 {
					time.Sleep(time.Second)
				}
				stop()
				var got []string
				for _, in := range function.Inputs() {
					got = append(got, bodies(in)...)
				}
				if !slices.Equal(got, want) {
					t.Errorf("it got %q, want %q", got, want)
				}
				if state := mapping.State(); state.Events != int64(len(want)) || state.Error != "" {
					t.Errorf("the state is %+v", state)
				}
			})
		})
	}
}

// TestFailures: what a function fails at comes again when it is visible, the rest does not.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, answer, failure string
		again                 []string // which come again
	}{
		{"success", `null`, "", nil},
		{"no failures", `{"batchItemFailures": []}`, "", nil},
		{"null failures", `{"batchItemFailures": null}`, "", nil},
		{"another answer", `{"done": 3}`, "", nil},
		{"a text", `"ok"`, "", nil},
		{"one", `{"batchItemFailures": [{"itemIdentifier": "id-b"}]}`, "", []string{"b"}},
		{"an error", `{"errorMessage": "no"}`, "ValueError", []string{"a", "b", "c"}},
		{"nobody", `{"batchItemFailures": [{"itemIdentifier": "id-x"}]}`, "", []string{"a", "b", "c"}},
		{"empty", `{"batchItemFailures": [{"itemIdentifier": ""}]}`, "", []string{"a", "b", "c"}},
		{"null", `{"batchItemFailures": [{"itemIdentifier": null}]}`, "", []string{"a", "b", "c"}},
		{"another key", `{"batchItemFailures": [{"item": "id-b"}]}`, "", []string{"a", "b", "c"}},
		{"no list", `{"batchItemFailures": "id-b"}`, "", []string{"a", "b", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{visibility: 30 * time.Second}
				f.send("a", "b", "c")
				function := &eventsourcetest.Function{}
				function.Answer = func(aloft.InvokeInput) (aloft.Invoked, error) {
					if len(function.Inputs()) > 1 {
						return aloft.Invoked{}, nil
					}
					return aloft.Invoked{Payload: []byte(c.answer), FunctionError: c.failure}, nil
				}
				m, stop := eventsourcetest.Start(t, suite(f), "queue:jobs", function)
				time.Sleep(29 * time.Second)
				if left := f.left(); left != len(c.again) || len(function.Inputs()) != 1 {
					t.Errorf("%d messages are left, want %d; it was invoked %d times", left, len(c.again), len(function.Inputs()))
				}
				if s := m.State(); int(s.Failed) != len(c.again) || s.Events != 3 || (s.Error != "") != (len(c.again) > 0) {
					t.Errorf("the state is %+v", s)
				}
				time.Sleep(5 * time.Second)
				stop()
				if in := function.Inputs(); len(c.again) > 0 && (len(in) != 2 || !slices.Equal(bodies(in[1]), c.again)) || f.left() != 0 {
					t.Errorf("then came %d events, %d are left", len(in), f.left())
				}
			})
		})
	}
}

// TestBatches fills batches within the window, and sends what there is when it is over.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, function := &fake{visibility: time.Minute}, &eventsourcetest.Function{}
		_, stop := eventsourcetest.Start(t, suite(f), "queue:jobs?batch=4&window=10s&maximum-concurrency=1", function)
		f.send("1", "2")
		time.Sleep(9 * time.Second)
		if len(function.Inputs()) != 0 {
			t.Error("the batch was sent before its window was over")
		}
		f.send("3", "4", "5")
		time.Sleep(time.Second / 2)
		if in := function.Inputs(); len(in) != 1 || !slices.Equal(bodies(in[0]), []string{"1", "2", "3", "4"}) {
			t.Errorf("a full batch: %d events", len(in))
		}
		time.Sleep(11 * time.Second)
		stop()
		if in := function.Inputs(); len(in) != 2 || !slices.Equal(bodies(in[1]), []string{"5"}) {
			t.Errorf("the window's end: %d events", len(in))
		}
	})
}

// TestConcurrency has no more batches at work than it may, keeps the order of each group, and loses nothing when it ends.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{visibility: time.Hour}
		for i := range 40 {
			f.send(fmt.Sprintf("g%d/%02d", i%4, i))
		}
		var mu sync.Mutex
		at, most := 0, 0
		seen := map[string][]string{}
		function := &eventsourcetest.Function{Answer: func(in aloft.InvokeInput) (aloft.Invoked, error) {
			mu.Lock()
			at++
			most = max(most, at)
			for _, body := range bodies(in) {
				group, _, _ := strings.Cut(body, "/")
				seen[group] = append(seen[group], body)
			}
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			at--
			mu.Unlock()
			return aloft.Invoked{}, nil
		}}
		_, stop := eventsourcetest.Start(t, suite(f), "queue:jobs.fifo?batch=1&maximum-concurrency=3", function)
		time.Sleep(3500 * time.Millisecond)
		stop() // in the middle of three
		if done := len(function.Inputs()); 40-f.left() != done {
			t.Errorf("%d were worked on, %d are left of 40", done, f.left())
		}
		_, stop = eventsourcetest.Start(t, suite(f), "queue:jobs.fifo?batch=1&maximum-concurrency=3", function)
		time.Sleep(time.Minute)
		stop()
		if most != 3 || f.left() != 0 || len(function.Inputs()) != 40 {
			t.Errorf("%d at once, %d left, %d events", most, f.left(), len(function.Inputs()))
		}
		for group, all := range seen {
			if !slices.IsSorted(all) || len(all) != 10 {
				t.Errorf("group %s came as %v", group, all)
			}
		}
	})
}

// TestUnavailable returns messages that no instance takes, and asks ever more rarely.
func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{visibility: 12 * time.Hour}
		f.send("a")
		var well atomic.Bool
		function := &eventsourcetest.Function{Answer: func(aloft.InvokeInput) (aloft.Invoked, error) {
			if well.Load() {
				return aloft.Invoked{}, nil
			}
			return aloft.Invoked{}, errors.New("crashed")
		}}
		m, stop := eventsourcetest.Start(t, suite(f), "queue:jobs", function)
		time.Sleep(10 * time.Minute)
		if n := len(function.Inputs()); n < 15 || n > 40 || !strings.Contains(m.State().Error, "crashed") {
			t.Errorf("it was tried %d times: %+v", n, m.State())
		}
		well.Store(true)
		time.Sleep(time.Minute)
		stop()
		if f.left() != 0 {
			t.Error("the message is left")
		}
	})
}
