package topic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/resourcetest"
	"github.com/aloft-run/aloft/internal/resource/topic"
)

func open(t *testing.T, dir string) *topic.Store {
	t.Helper()
	s, err := topic.Open(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	resourcetest.Run(t, resourcetest.Kind{Good: map[string]string{"fifo": "true"}, Open: func(t *testing.T, dir string) (resource.Type, func()) {
		t.Helper()
		s := open(t, dir)
		return s, func() { _ = s.Close() }
	}})
}

func serve(t *testing.T, visible resource.Visible) (*sns.Client, *topic.Store) {
	t.Helper()
	store := open(t, t.TempDir())
	t.Cleanup(func() { _ = store.Close() })
	server := httptest.NewServer(store.Handler(visible))
	t.Cleanup(server.Close)
	return sns.New(sns.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), store
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

const jobs = "arn:aws:sqs:us-east-1:000000000000:jobs"

// deliveries takes what comes for a protocol until n have come.
func deliveries(t *testing.T, s *topic.Store, n int) []topic.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []topic.Delivery
	if err := s.Deliver(ctx, topic.ToQueue, func(_ context.Context, d topic.Delivery) error {
		if all = append(all, d); len(all) == n {
			cancel()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) != n {
		t.Fatalf("%d deliveries came, not %d", len(all), n)
	}
	return all
}

func TestPublish(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{})
	made, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := c.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(jobs),
		Attributes: map[string]string{"FilterPolicy": `{"kind":["new"]}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	publish := func(kind string) string {
		out, err := c.Publish(t.Context(), &sns.PublishInput{
			TopicArn: made.TopicArn, Message: aws.String("order " + kind), Subject: aws.String("hello"),
			MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String(kind)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.MessageId
	}
	publish("old")
	id := publish("new")
	d := deliveries(t, store, 1)[0]
	if d.ID != id || d.Body != "order new" || d.Endpoint != jobs || d.Subscription != *sub.SubscriptionArn {
		t.Errorf("delivered %+v", d)
	}
	text, err := d.Envelope()
	var envelope struct {
		Type, TopicArn, Subject, Message string
		MessageID                        string `json:"MessageId"`
		MessageAttributes                map[string]struct{ Type, Value string }
	}
	if err != nil || json.Unmarshal(text, &envelope) != nil || envelope.Type != "Notification" || envelope.TopicArn != *made.TopicArn ||
		envelope.MessageID != id || envelope.Subject != "hello" || envelope.MessageAttributes["kind"].Value != "new" {
		t.Errorf("the envelope is %s, %v", text, err)
	}
	tags, err := c.ListTagsForResource(t.Context(), &sns.ListTagsForResourceInput{ResourceArn: made.TopicArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "shop" {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := c.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn}); err != nil {
		t.Fatal(err)
	}
	list, err := c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: made.TopicArn})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("subscriptions %v, %v", list, err)
	}
}

func TestBatchAndAttributes(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{})
	made, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders.fifo"), Attributes: map[string]string{"FifoTopic": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(jobs + ".fifo")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: sub.SubscriptionArn, AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true"),
	}); err != nil {
		t.Fatal(err)
	}
	out, err := c.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: made.TopicArn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("1"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("x")},
		{Id: aws.String("b"), Message: aws.String("2"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("x")},
		{Id: aws.String("c"), Message: aws.String("3"), MessageGroupId: aws.String("g")},
	}})
	if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "c" || *out.Successful[0].MessageId != *out.Successful[1].MessageId {
		t.Fatalf("%+v, %v", out, err)
	}
	if d := deliveries(t, store, 1)[0]; !d.Raw || d.Body != "1" || d.Group != "g" {
		t.Errorf("delivered %+v", d)
	}
	got, err := c.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
	if err != nil || got.Attributes["RawMessageDelivery"] != "true" || got.Attributes["Endpoint"] != jobs+".fifo" {
		t.Errorf("attributes %v, %v", got, err)
	}
	_, err = c.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: sub.SubscriptionArn, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"a":[{"like":"b"}]}`),
	})
	if code(err) != "InvalidParameter" && code(err) != "InvalidParameterException" {
		t.Errorf("a bad filter: %v", err)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{Only: map[resource.Named]bool{{Kind: aloft.Topic, Name: "orders"}: true, {Kind: aloft.Queue, Name: "jobs"}: true, {Kind: resource.Function, Name: "handle"}: true}})
	for _, name := range []string{"orders", "secrets"} {
		if _, err := store.Create(t.Context(), topic.Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	arn := func(name string) *string { return aws.String(topic.Topic{Name: name}.ARN()) }
	_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: arn("secrets"), Message: aws.String("x")})
	if code(err) != "NotFound" && code(err) != "NotFoundException" {
		t.Errorf("a topic that is not visible: %v", err)
	}
	if _, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn("orders"), Protocol: aws.String("sqs"), Endpoint: aws.String(jobs)}); err != nil {
		t.Error(err)
	}
	_, err = c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn("orders"), Protocol: aws.String("sqs"), Endpoint: aws.String(jobs + "-of-others")})
	if code(err) != "AuthorizationError" && code(err) != "AuthorizationErrorException" {
		t.Errorf("a subscription for a queue of others: %v", err)
	}
	const function = "arn:aws:lambda:us-east-1:000000000000:function:"
	for _, endpoint := range []string{ // those that deliver must not read another name than those that allow
		function + "of-others", function + "of-others:jobs", function + "of-others:function:handle", function + "handle:1:2", function + "handle:", function,
		"arn:aws:lambda::function:of-others:function:handle", "arn:aws:lambda:us-east-1:000000000000:function:jobs", "arn:aws:lambda:us-east-1:111111111111:function:handle",
	} {
		_, err = c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn("orders"), Protocol: aws.String("lambda"), Endpoint: aws.String(endpoint)})
		if err == nil {
			t.Errorf("%s may be subscribed", endpoint)
		}
	}
	for _, endpoint := range []string{function + "handle", function + "handle:live"} {
		if _, err = c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn("orders"), Protocol: aws.String("lambda"), Endpoint: aws.String(endpoint)}); err != nil {
			t.Error(err)
		}
	}
	list, err := c.ListTopics(t.Context(), &sns.ListTopicsInput{})
	if err != nil || len(list.Topics) != 1 {
		t.Errorf("topics %v, %v", list.Topics, err)
	}
}
