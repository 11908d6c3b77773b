package topic_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/eventsourcetest"
	"github.com/aloft-run/aloft/internal/eventsource/topic"
)

// fake is topics in memory.
type fake struct {
	mu   sync.Mutex
	subs map[string]topic.Filter // by topic and function
	out  []topic.Message
	api  bool // subscriptions are those of SNS' API
}

func (f *fake) Subscribe(_ context.Context, name, function string, filter topic.Filter) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subs == nil {
		f.subs = map[string]topic.Filter{}
	}
	f.subs[name+" "+function] = filter
	return nil
}

func (f *fake) Unsubscribe(_ context.Context, name, function string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.subs, name+" "+function)
	return nil
}

func (*fake) CheckFilter(filter topic.Filter) error {
	if strings.Contains(filter.Policy, "bad") {
		return errors.New("bad is no condition")
	}
	return nil
}

func (f *fake) publish(name, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for sub := range f.subs {
		if to, function, _ := strings.Cut(sub, " "); to == name {
			f.out = append(f.out, topic.Message{ID: "m-" + body, Topic: name, Function: function, Body: body, Time: time.Now(), Sourced: !f.api})
		}
	}
}

func (f *fake) subscribed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.subs)
}

func (f *fake) Deliver(ctx context.Context, hand func(context.Context, topic.Message) error) error {
	for ctx.Err() == nil {
		f.mu.Lock()
		var one []topic.Message
		if len(f.out) > 0 {
			one = f.out[:1]
		}
		f.mu.Unlock()
		if len(one) > 0 && hand(ctx, one[0]) == nil {
			f.mu.Lock()
			f.out = f.out[1:]
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

const name = "shop-orders-staging"

// serve hands messages out until the end of the test.
func serve(t *testing.T, k *topic.Kind, invoker aloft.Invoker) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- k.Serve(ctx, func(name string) (aloft.StageRef, string, bool) {
			return eventsourcetest.Stage(), "work", name == "shop-work-staging"
		}, invoker)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve ended with %v", err)
		}
	})
}

func suite(f *fake) eventsourcetest.Suite {
	return eventsourcetest.Suite{
		Kind: topic.New(f), Runs: "topic:orders", Async: true, Deliver: func(*testing.T) { time.Sleep(time.Second); f.publish(name, "one") },
		Good: map[string]string{
			"topic:orders": "topic:orders",
			`topic:orders?filter={ "kind": ["new", "changed"], "a": [{"numeric": [">", 1.50]}] }`: `topic:orders?filter={"a":[{"numeric":[">",1.50]}],"kind":["new","changed"]}`,
			`topic:orders?scope=body&filter={"a":["x%26y"]}`:                                      `topic:orders?filter={"a":["x%26y"]}&scope=body`,
			"topic:orders?scope=attributes":                                                       "topic:orders",
			"arn:aws:sns:us-east-1:000000000000:shop-orders-staging":                              "topic:orders",
			"topic:orders.fifo": "topic:orders.fifo",
		},
		Bad: map[string]string{
			"topic:orders?filter=[1]":            "no JSON object",
			`topic:orders?filter={"a":["x"]} {}`: "more than one value",
			`topic:orders?filter={"bad":1}`:      "bad is no condition",
			"topic:orders?scope=subject":         "attributes or body",
			"topic:or/ders":                      "cannot be the name",
		},
	}
}

func TestLaws(t *testing.T) {
	eventsourcetest.Run(t, suite(&fake{}))
	synctest.Test(t, func(t *testing.T) {
		f, function := &fake{}, &eventsourcetest.Function{}
		s := suite(f)
		serve(t, s.Kind.(*topic.Kind), function)
		m, stop := eventsourcetest.Start(t, s, s.Runs, function)
		s.Deliver(t)
		time.Sleep(time.Second)
		stop()
		in := function.Inputs()
		if len(in) != 1 || !in[0].Async || in[0].Source != "orders" || in[0].Function != "work" || in[0].Stage != eventsourcetest.Stage() || in[0].RequestID == "" {
			t.Fatalf("the events are %+v", in)
		}
		if state := m.State(); state.Events != 1 || state.Last.IsZero() {
			t.Errorf("the state is %+v", state)
		}
		if e := eventsourcetest.Known[events.SNSEvent](t, in[0].Payload); e.Records[0].SNS.Message != "one" || e.Records[0].SNS.TopicArn != "arn:aws:sns:us-east-1:000000000000:"+name {
			t.Errorf("AWS's type reads %+v", e)
		}
	})
}

// TestEvent compares with the example of https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html and with AWS's own type.
func TestEvent(t *testing.T) {
	m := topic.Message{
		ID: "95df01b4-ee98-5cb9-9903-4c221d41eb5e", Topic: "sns-lambda", Subscription: "arn:aws:sns:us-east-1:000000000000:sns-lambda:21be56ed-a058-49f5-8c98-aedd2564c486",
		Subject: "TestInvoke", Body: "Hello from SNS!", Time: time.Date(2019, 1, 2, 12, 45, 7, 0, time.UTC),
		Attributes: map[string]topic.Attribute{"Test": {Type: "String", Text: "TestString"}, "TestBinary": {Type: "Binary", Binary: []byte("TestBinary")}},
	}
	got := topic.Event(m)
	eventsourcetest.Same(t, got, []byte(`{"Records": [{"EventVersion": "1.0",
		"EventSubscriptionArn": "arn:aws:sns:us-east-1:000000000000:sns-lambda:21be56ed-a058-49f5-8c98-aedd2564c486", "EventSource": "aws:sns",
		"Sns": {"SignatureVersion": "1", "Timestamp": "2019-01-02T12:45:07.000Z", "Signature": "", "SigningCertUrl": "", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
			"Message": "Hello from SNS!", "MessageAttributes": {"Test": {"Type": "String", "Value": "TestString"}, "TestBinary": {"Type": "Binary", "Value": "VGVzdEJpbmFyeQ=="}},
			"Type": "Notification", "UnsubscribeUrl": "", "TopicArn": "arn:aws:sns:us-east-1:000000000000:sns-lambda", "Subject": "TestInvoke"}}]}`))
	eventsourcetest.Known[events.SNSEvent](t, got)
	m.Subject, m.Attributes = "", nil
	var plain struct {
		Records []struct{ Sns map[string]any }
	}
	if err := json.Unmarshal(topic.Event(m), &plain); err != nil {
		t.Fatal(err)
	}
	if subject, there := plain.Records[0].Sns["Subject"]; !there || subject != nil {
		t.Errorf("without a subject it is %v, want null", subject)
	}
}

// TestSubscriptions: a source keeps its subscription while it does not run, and gives it up at its end, unless another has it.
func TestSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, function := &fake{}, &eventsourcetest.Function{}
		s := suite(f)
		m, stop := eventsourcetest.Start(t, s, "topic:orders", function)
		synctest.Wait()
		stop()
		f.publish(name, "while it does not run")
		serve(t, s.Kind.(*topic.Kind), function)
		time.Sleep(time.Second)
		if in := function.Inputs(); len(in) != 0 || f.subscribed() != 1 {
			t.Errorf("while it does not run: %d events, %d subscriptions", len(in), f.subscribed())
		}
		_, stop = eventsourcetest.Start(t, s, "topic:orders", function)
		time.Sleep(time.Second)
		stop()
		f.api = true
		f.publish(name, "of SNS' API")
		time.Sleep(time.Second)
		if in := function.Inputs(); len(in) != 2 {
			t.Errorf("after it ran, and through SNS' API: %d events", len(in))
		}
		end := func(text string, left ...string) {
			t.Helper()
			source, err := eventsource.Set{s.Kind}.Parse(eventsourcetest.Stage(), text)
			if err == nil {
				err = source.(eventsource.Ender).End(t.Context(), m, left)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		_, stop = eventsourcetest.Start(t, s, `topic:orders?filter={"a":["b"]}`, function)
		synctest.Wait()
		end("topic:orders", `topic:orders?filter={"a":["b"]}`)
		if f.subscribed() != 1 {
			t.Error("the subscription that another source took over is given up")
		}
		stop()
		end(`topic:orders?filter={"a":["b"]}`)
		if f.subscribed() != 0 {
			t.Error("the subscription is left")
		}
	})
}
