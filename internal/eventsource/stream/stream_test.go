package stream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
	"github.com/aloft-run/aloft/internal/eventsource/stream"
)

// fake is a stream of two shards in memory. The first byte of a record is its shard.
type fake struct {
	mu        sync.Mutex
	records   []stream.Record
	positions map[string]string
	shard     string // of all records, instead of their first byte
	wake      chan struct{}
}

func newFake() *fake { return &fake{positions: map[string]string{}, wake: make(chan struct{})} }

func (f *fake) put(data ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range data {
		f.records = append(f.records, stream.Record{Sequence: fmt.Sprintf("%08d", len(f.records)+1), Key: d[:1], Data: []byte(d), At: time.Now()})
		if f.shard != "" {
			f.records[len(f.records)-1].Key = f.shard
		}
	}
	close(f.wake)
	f.wake = make(chan struct{})
}

func (f *fake) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wake
}

func (*fake) Shards(_ context.Context, name string) ([]string, error) {
	if strings.Contains(name, "missing") {
		return nil, aloft.Errorf(aloft.NotFound, "there is no stream %q", name)
	}
	return []string{"a", "b"}, nil
}

func (f *fake) Read(_ context.Context, _, shard, after string, most int) (got []stream.Record, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.records {
		if r.Key == shard && r.Sequence > after && len(got) < most {
			got = append(got, r)
		}
	}
	return got, nil
}

func (f *fake) Position(_ context.Context, _, shard, reader string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.positions[shard+reader], nil
}

func (f *fake) SetPosition(_ context.Context, _, shard, reader, sequence string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.positions[shard+reader] = max(sequence, "00000000")
	return nil
}

func suite(f *fake) eventsourcetest.Suite {
	return eventsourcetest.Suite{
		Kind: stream.Kind{Streams: f}, Runs: "stream:clicks", Deliver: func(*testing.T) { time.Sleep(time.Second); f.put("a1") },
		Good: map[string]string{
			"stream:clicks": "stream:clicks",
			"stream:clicks?batch=100&position=latest&retries=-1":                        "stream:clicks",
			"stream:clicks?position=trim-horizon&bisect&retries=3":                      "stream:clicks?bisect=true&position=trim-horizon&retries=3",
			"stream:clicks?maximum-age=1h&window=5s":                                    "stream:clicks?maximum-age=1h&window=5s",
			`stream:clicks?filter={"data": {"kind": ["new"]}}`:                          `stream:clicks?filter={"data":{"kind":["new"]}}`,
			"stream:clicks?position=2026-01-31T12:00:00Z":                               "stream:clicks?position=2026-01-31T12:00:00Z",
			"arn:aws:kinesis:us-east-1:000000000000:stream/shop-clicks-staging?batch=5": "stream:clicks?batch=5",
			"arn:aws:kinesis:us-east-1:000000000000:stream/other":                       "arn:aws:kinesis:us-east-1:000000000000:stream/other",
		},
		Bad: map[string]string{
			"stream:clicks?batch=0":               "from 1 to 10000",
			"stream:clicks?position=now":          "latest, trim-horizon",
			"stream:clicks?bisect=maybe":          "true or false",
			"stream:clicks?retries=-2":            "from -1",
			"stream:clicks?maximum-age=8000h":     "0s to 168h",
			`stream:clicks?filter={"data":["x"]}`: "data is JSON: ask for names in it",
			`stream:clicks?filter={"data":{}}`:    "an empty map",
			"stream:":                             "KIND:NAME",
		},
	}
}

func TestLaws(t *testing.T) {
	eventsourcetest.Run(t, suite(newFake()))
	synctest.Test(t, func(t *testing.T) { eventsourcetest.Delivers(t, suite(newFake())) })
}

// TestEvent compares with the example of https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and with AWS's own type.
func TestEvent(t *testing.T) {
	got := stream.Event("lambda-stream", "shardId-000000000006", []stream.Record{{
		Sequence: "49590338271490256608559692538361571095921575989136588898", Key: "1", Data: []byte("Hello, this is a test."),
		At: time.UnixMilli(1545084650987),
	}})
	eventsourcetest.Same(t, got, []byte(`{"Records": [{
		"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
			"data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==", "approximateArrivalTimestamp": 1545084650.987},
		"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
		"eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::000000000000:role/aloft", "awsRegion": "us-east-1",
		"eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/lambda-stream"}]}`))
	e := eventsourcetest.Known[events.KinesisEvent](t, got)
	if r := e.Records[0].Kinesis; string(r.Data) != "Hello, this is a test." || r.ApproximateArrivalTimestamp.Round(time.Millisecond).UnixMilli() != 1545084650987 {
		t.Errorf("AWS's type reads %+v", r)
	}
}

// data is what is in an event.
func data(in aloft.InvokeInput) (all []string) {
	var e events.KinesisEvent
	_ = json.Unmarshal(in.Payload, &e)
	for _, r := range e.Records {
		all = append(all, string(r.Kinesis.Data))
	}
	return all
}

// worker answers: what begins with bad fails.
type worker struct {
	eventsourcetest.Function

	partial bool
	mu      sync.Mutex
	done    []string
	tries   [][]string
}

func newWorker(partial bool) *worker {
	w := &worker{partial: partial}
	w.Answer = func(in aloft.InvokeInput) (aloft.Invoked, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		all := data(in)
		w.tries = append(w.tries, all)
		i := slices.IndexFunc(all, func(d string) bool { return strings.Contains(d, "bad") })
		switch {
		case i < 0:
			w.done = append(w.done, all...)
			return aloft.Invoked{}, nil
		case !w.partial:
			return aloft.Invoked{FunctionError: "ValueError", Payload: []byte(`{"errorMessage": "bad"}`)}, nil
		}
		w.done = append(w.done, all[:i]...)
		var e events.KinesisEvent
		_ = json.Unmarshal(in.Payload, &e)
		return aloft.Invoked{Payload: fmt.Appendf(nil, `{"batchItemFailures": [{"itemIdentifier": %q}]}`, e.Records[i].Kinesis.SequenceNumber)}, nil
	}
	return w
}

func (w *worker) expect(t *testing.T, done ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.done, done) {
		t.Errorf("it worked on %v, want %v; it was given %v", w.done, done, w.tries)
	}
}

// TestFailures: what fails holds up its shard, until it is given up as the source says; other shards go on.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		uri     string
		partial bool
		alone   int // how often the bad record is tried alone
		want    []string
	}{
		{"stream:clicks?retries=2", false, 0, []string{"a5"}},
		{"stream:clicks?retries=2&bisect", false, 3, []string{"a1", "a2", "a4", "a5"}},
		{"stream:clicks?retries=0&bisect", false, 1, []string{"a1", "a2", "a4", "a5"}},
		{"stream:clicks?retries=2", true, 0, []string{"a1", "a2", "a5"}},
		{"stream:clicks?maximum-age=10s", false, 0, []string{"a5"}},
		{"stream:clicks", false, 0, nil},
	} {
		t.Run(fmt.Sprint(c.uri, c.partial), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, w := newFake(), newWorker(c.partial)
				_, stop := eventsourcetest.Start(t, suite(f), c.uri, w)
				synctest.Wait()
				f.put("a1", "a2", "a3 bad", "a4")
				time.Sleep(30 * time.Second)
				f.put("a5")
				time.Sleep(30 * time.Second)
				stop()
				w.expect(t, c.want...)
				alone := 0
				for _, try := range w.tries {
					if slices.Equal(try, []string{"a3 bad"}) {
						alone++
					}
				}
				if alone != c.alone {
					t.Errorf("the bad record was tried alone %d times, want %d: %v", alone, c.alone, w.tries)
				}
			})
		})
	}
}

// TestFilter: a function is given the records that a pattern lets through, a window fills batches with those, and what was passed over
// is not read again. https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
func TestFilter(t *testing.T) {
	for _, c := range []struct {
		filter string
		tries  [][]string
	}{
		{`{"data":{"k":["new"]}}`, [][]string{{`{"k":"new","n":1}`, `{"k":"new","n":3}`}, {`{"k":"new","n":4}`}}},
		{`{"data":{"n":[{"numeric":[">=",4]}]}}`, [][]string{{`{"k":"new","n":4}`, `{"k":"old","n":5}`}}},
		{`{"kinesis":{"partitionKey":["b"]}}`, nil},
		{`{"kinesis":{"partitionKey":["a"]},"data":{"n":[5]}}`, [][]string{{`{"k":"old","n":5}`}}},
		{`{"data":{"k":["none"]}}`, nil},
	} {
		t.Run(c.filter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, w := newFake(), newWorker(false)
				f.shard = "a"
				f.put(`{"k":"new","n":1}`, `{"k":"old","n":2}`, `{"k":`, `{"k":"new","n":3}`, `{"k":"new","n":4}`, `{"k":"old","n":5}`, `{}`)
				mapping, stop := eventsourcetest.Start(t, suite(f), "stream:clicks?position=trim-horizon&batch=2&window=1s&filter="+c.filter, w)
				time.Sleep(5 * time.Second)
				stop()
				if !reflect.DeepEqual(w.tries, c.tries) {
					t.Errorf("it was given %q, want %q", w.tries, c.tries)
				}
				if at := f.positions["a"+mapping.Reader()]; at != "00000007" {
					t.Errorf("it has come to %q", at)
				}
			})
		})
	}
}

// TestOrder: two shards, each in its order, over ends and starts at all moments; nothing is left out.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := newFake(), newWorker(false)
		var want []string
		for i := range 100 {
			_, stop := eventsourcetest.Start(t, suite(f), fmt.Sprintf("stream:clicks?batch=%d", i%7+1), w) // another batch is the same reader
			if i > 0 {
				want = append(want, fmt.Sprintf("a%03d", i))
			}
			if i > 0 {
				f.put(fmt.Sprintf("a%03d", i), fmt.Sprintf("b%03d", i))
			}
			time.Sleep(time.Duration(i%3) * time.Second)
			synctest.Wait()
			stop()
		}
		_, stop := eventsourcetest.Start(t, suite(f), "stream:clicks", w)
		time.Sleep(time.Minute)
		stop()
		for _, shard := range []string{"a", "b"} {
			var got []string
			for _, d := range w.done {
				if strings.HasPrefix(d, shard) {
					got = append(got, "a"+d[1:])
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("shard %s: %d of %d: %v", shard, len(got), len(want), got)
			}
		}
	})
}

// TestPositions begins where a source says, and with what came since the first start afterwards.
func TestPositions(t *testing.T) {
	for _, c := range []struct {
		uri  string
		want []string
	}{
		{"stream:clicks", []string{"a3", "a4"}},
		{"stream:clicks?position=trim-horizon", []string{"a1", "a2", "a3", "a4"}},
		{"stream:clicks?position=2000-01-01T00:30:00Z", []string{"a2", "a3", "a4"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, w := newFake(), newWorker(false)
			f.put("a1")
			time.Sleep(time.Hour)
			f.put("a2")
			time.Sleep(time.Hour)
			_, stop := eventsourcetest.Start(t, suite(f), c.uri, w)
			synctest.Wait()
			stop()
			time.Sleep(time.Hour)
			f.put("a3")
			time.Sleep(time.Hour)
			_, stop = eventsourcetest.Start(t, suite(f), c.uri, w)
			time.Sleep(time.Minute)
			f.put("a4")
			time.Sleep(time.Minute)
			stop()
			w.expect(t, c.want...)
		})
	}
}

// TestUnavailable gives nothing up that the function has not seen.
func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := newFake(), newWorker(false)
		answer := w.Answer
		begin := time.Now()
		w.Answer = func(in aloft.InvokeInput) (aloft.Invoked, error) {
			if time.Since(begin) < time.Hour {
				return aloft.Invoked{}, aloft.Errorf(aloft.Unavailable, "crashed")
			}
			return answer(in)
		}
		m, stop := eventsourcetest.Start(t, suite(f), "stream:clicks?retries=0", w)
		synctest.Wait()
		f.put("a1", "a2")
		time.Sleep(30 * time.Minute)
		if !strings.Contains(m.State().Error, "crashed") {
			t.Errorf("the state is %+v", m.State())
		}
		time.Sleep(time.Hour)
		stop()
		w.expect(t, "a1", "a2")
	})
}
