package bucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/bucket"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
)

// fake is buckets in memory: what changes is kept for those who watch.
type fake struct {
	mu   sync.Mutex
	kept map[string][]bucket.Change // by watcher
}

func (f *fake) change(name string, keys ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.kept {
		for _, key := range keys {
			c := bucket.Change{Key: key, Name: name, Time: time.Now(), Sequencer: time.Now().Format("150405.000000000") + key}
			if strings.HasPrefix(name, "ObjectCreated") {
				c.Size, c.ETag = 5, "abc"
			}
			f.kept[w] = append(f.kept[w], c)
		}
	}
}

func (f *fake) Watch(_ context.Context, name, watcher string) error {
	if strings.Contains(name, "missing") {
		return aloft.Errorf(aloft.NotFound, "there is no bucket %q", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil {
		f.kept = map[string][]bucket.Change{}
	}
	f.kept[watcher] = append(f.kept[watcher], []bucket.Change{}...)
	return nil
}

func (f *fake) Unwatch(_ context.Context, _, watcher string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.kept, watcher)
	return nil
}

func (f *fake) watchers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.kept)
}

func (f *fake) Deliver(ctx context.Context, watcher string, hand func(context.Context, bucket.Change) error) error {
	for ctx.Err() == nil {
		f.mu.Lock()
		all := slices.Clone(f.kept[watcher])
		f.mu.Unlock()
		if len(all) > 0 && hand(ctx, all[0]) == nil {
			f.mu.Lock()
			f.kept[watcher] = f.kept[watcher][1:]
			f.mu.Unlock()
			continue
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

func suite(f *fake) eventsourcetest.Suite {
	return eventsourcetest.Suite{
		Kind: bucket.Kind{Buckets: f}, Runs: "bucket:uploads", Async: true,
		Deliver: func(*testing.T) { time.Sleep(time.Second); f.change("ObjectCreated:Put", "a b/größe+.png") },
		Good: map[string]string{
			"bucket:uploads":                                                "bucket:uploads",
			"bucket:uploads?suffix=.png&prefix=in/":                         "bucket:uploads?prefix=in/&suffix=.png",
			"bucket:uploads?prefix=a%26b":                                   "bucket:uploads?prefix=a%26b",
			"bucket:uploads?events=ObjectCreated:*":                         "bucket:uploads",
			"bucket:uploads?events=s3:ObjectRemoved:*,s3:ObjectCreated:Put": "bucket:uploads?events=ObjectRemoved:*,ObjectCreated:Put",
			"arn:aws:s3:::shop-uploads-staging?prefix=in/":                  "bucket:uploads?prefix=in/",
			"arn:aws:s3:::elsewhere":                                        "arn:aws:s3:::elsewhere",
		},
		Bad: map[string]string{
			"bucket:uploads?events=ObjectPainted:*": "a list of ObjectCreated:*",
			"bucket:up loads":                       "cannot be the name",
			"bucket:uploads?filter=x":               `no option "filter"`,
		},
	}
}

func TestLaws(t *testing.T) {
	eventsourcetest.Run(t, suite(&fake{}))
	synctest.Test(t, func(t *testing.T) {
		f := eventsourcetest.Delivers(t, suite(&fake{}))
		var e events.S3Event
		if err := json.Unmarshal(f.Inputs()[0].Payload, &e); err != nil || e.Records[0].S3.Object.URLDecodedKey != "a b/größe+.png" ||
			e.Records[0].S3.Object.Key != "a+b/gr%C3%B6%C3%9Fe%2B.png" || e.Records[0].S3.Bucket.Name != "shop-uploads-staging" {
			t.Errorf("AWS's type reads %+v, %v", e, err)
		}
	})
}

// TestEvent compares with https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func TestEvent(t *testing.T) {
	at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	created := bucket.Event("amzn-s3-demo-bucket", "testConfigRule", bucket.Change{
		Key: "HappyFace.jpg", Name: "ObjectCreated:Put", Time: at, Size: 1024, ETag: "d41d8cd98f00b204e9800998ecf8427e",
		Version: "096fKKXTRTtl3on89fVO.nfljtsv6qko", Sequencer: "0055AED6DCD90281E5",
	})
	want := `{"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "1970-01-01T00:00:00.000Z",
		"eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "000000000000"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
		"responseElements": {"x-amz-request-id": "0055AED6DCD90281E5", "x-amz-id-2": "0055AED6DCD90281E5"},
		"s3": {"s3SchemaVersion": "1.0", "configurationId": "testConfigRule",
			"bucket": {"name": "amzn-s3-demo-bucket", "ownerIdentity": {"principalId": "000000000000"}, "arn": "arn:aws:s3:::amzn-s3-demo-bucket"},
			"object": {"key": "HappyFace.jpg", "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko", "sequencer": "0055AED6DCD90281E5"}}}]}`
	eventsourcetest.Same(t, created, []byte(want))
	eventsourcetest.Known[events.S3Event](t, created)
	removed := bucket.Event("b", "c", bucket.Change{Key: "k", Name: "ObjectRemoved:Delete", Time: at, Sequencer: "1"})
	if text := string(removed); strings.Contains(text, `"size"`) || strings.Contains(text, "eTag") {
		t.Errorf("the event of a removal is %s", text)
	}
	empty := bucket.Event("b", "c", bucket.Change{Key: "k", Name: "ObjectCreated:Put", Time: at})
	if !strings.Contains(string(empty), `"size":0`) {
		t.Errorf("the event of an empty object is %s", empty)
	}
}

// TestFilters passes on only what a source asks for.
func TestFilters(t *testing.T) {
	for _, c := range []struct {
		uri  string
		want []string
	}{
		{"bucket:uploads", []string{"in/a.png", "in/a.txt", "out/a.png"}},
		{"bucket:uploads?prefix=in/&suffix=.png", []string{"in/a.png"}},
		{"bucket:uploads?events=ObjectRemoved:*", []string{"in/gone.png"}},
		{"bucket:uploads?events=ObjectCreated:Copy", nil},
		{"bucket:uploads?prefix=in/a&suffix=a.png", []string{"in/a.png"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, function := &fake{}, &eventsourcetest.Function{}
			_, stop := eventsourcetest.Start(t, suite(f), c.uri, function)
			synctest.Wait()
			f.change("ObjectCreated:Put", "in/a.png", "in/a.txt", "out/a.png")
			f.change("ObjectRemoved:Delete", "in/gone.png")
			time.Sleep(time.Second)
			stop()
			var got []string
			for _, in := range function.Inputs() {
				var e events.S3Event
				_ = json.Unmarshal(in.Payload, &e)
				got = append(got, e.Records[0].S3.Object.Key)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s passed on %v, want %v", c.uri, got, c.want)
			}
		})
	}
}

// TestKept: what changes while the source does not run comes when it does, with the same id if it comes again; given up, it
// does not.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, function := &fake{}, &eventsourcetest.Function{}
		_, stop := eventsourcetest.Start(t, suite(f), "bucket:uploads", function)
		synctest.Wait()
		stop()
		f.change("ObjectCreated:Put", "a")
		function.Answer = func(aloft.InvokeInput) (aloft.Invoked, error) {
			if len(function.Inputs()) < 3 {
				return aloft.Invoked{}, errors.New("the disk is full")
			}
			return aloft.Invoked{}, nil
		}
		m, stop := eventsourcetest.Start(t, suite(f), "bucket:uploads", function)
		time.Sleep(time.Second)
		stop()
		in := function.Inputs()
		if len(in) != 3 || in[0].RequestID == "" || in[0].RequestID != in[2].RequestID {
			t.Errorf("it came %d times: %+v", len(in), in)
		}
		source, err := eventsource.Set{bucket.Kind{Buckets: f}}.Parse(eventsourcetest.Stage(), "bucket:uploads")
		if err != nil {
			t.Fatal(err)
		}
		if err := source.(eventsource.Ender).End(t.Context(), m, nil); err != nil || f.watchers() != 0 {
			t.Errorf("given up: %d watch, %v", f.watchers(), err)
		}
	})
}
