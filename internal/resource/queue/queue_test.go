package queue_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/resourcetest"
)

func open(t *testing.T, dir string) *queue.Store {
	t.Helper()
	s, err := queue.Open(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	good := map[string]string{"fifo": "true", "visibility": "45s", "dead-letters": "lost.fifo", "max-receives": "5"}
	resourcetest.Run(t, resourcetest.Kind{Good: good, Open: func(t *testing.T, dir string) (resource.Type, func()) {
		t.Helper()
		s := open(t, dir)
		return s, func() { _ = s.Close() }
	}})
}

func serve(t *testing.T, visible resource.Visible) (*sqs.Client, *queue.Store) {
	t.Helper()
	store := open(t, t.TempDir())
	t.Cleanup(func() { _ = store.Close() })
	server := httptest.NewServer(store.Handler(visible))
	t.Cleanup(server.Close)
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), store
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func create(t *testing.T, c *sqs.Client, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

func receive(t *testing.T, c *sqs.Client, in sqs.ReceiveMessageInput) []types.Message {
	t.Helper()
	out, err := c.ReceiveMessage(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

// TestMessage: the SDK itself checks the digests of body and attributes.
func TestMessage(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	url := create(t, c, "jobs", nil)
	sent, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("grüße"), MessageAttributes: map[string]types.MessageAttributeValue{
		"kind": {DataType: aws.String("String.label"), StringValue: aws.String("big")},
		"n":    {DataType: aws.String("Number"), StringValue: aws.String("7")},
		"raw":  {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := receive(t, c, sqs.ReceiveMessageInput{
		QueueUrl: url, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if len(got) != 1 || *got[0].MessageId != *sent.MessageId || *got[0].Body != "grüße" || *got[0].MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
		t.Fatalf("received %+v", got)
	}
	if v := got[0].MessageAttributes["raw"]; string(v.BinaryValue) != "\x00\x01\xff" || got[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("received %v, %v", v, got[0].Attributes)
	}
	if more := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url}); len(more) != 0 {
		t.Errorf("a message in flight came again: %+v", more)
	}
	if _, err := c.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	again := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
	if len(again) != 1 || again[0].MessageAttributes != nil {
		t.Fatalf("received %+v", again)
	}
	if _, err := c.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: again[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	_, err = c.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: again[0].ReceiptHandle, VisibilityTimeout: 1})
	if code(err) != "AWS.SimpleQueueService.MessageNotInflight" && code(err) != "MessageNotInflight" {
		t.Errorf("a deleted message: %v", err)
	}
	_, err = c.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("x")})
	if code(err) != "ReceiptHandleIsInvalid" {
		t.Errorf("a bad receipt: %v", err)
	}
}

// TestLongPoll: who waits gets what is sent meanwhile.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	url := create(t, c, "jobs", map[string]string{"ReceiveMessageWaitTimeSeconds": "20"})
	got := make(chan int)
	go func() {
		out, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
		if err != nil {
			got <- -1
			return
		}
		got <- len(out.Messages)
	}()
	if _, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n != 1 {
		t.Errorf("%d messages came", n)
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	dead := create(t, c, "lost", nil)
	url := create(t, c, "jobs", map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:lost","maxReceiveCount":"2"}`,
	})
	if _, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("poison")}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if n := len(receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url})); (n == 1) != (i < 2) {
			t.Errorf("receive %d: %d messages", i+1, n)
		}
	}
	got := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: dead})
	if len(got) != 1 || *got[0].Body != "poison" {
		t.Errorf("dead letters: %+v", got)
	}
	sources, err := c.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dead})
	if err != nil || len(sources.QueueUrls) != 1 || sources.QueueUrls[0] != *url {
		t.Errorf("sources %v, %v", sources, err)
	}
}

// TestUnreceive: what nobody has looked at was not received, and is dead no sooner.
func TestUnreceive(t *testing.T) {
	t.Parallel()
	c, s := serve(t, resource.Visible{})
	create(t, c, "lost", nil)
	url := create(t, c, "jobs", map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:lost","maxReceiveCount":"2"}`,
	})
	if _, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	visibility := time.Minute
	receive := func() queue.Message {
		t.Helper()
		got, err := s.Receive(t.Context(), "jobs", queue.Receive{Visibility: &visibility})
		if err != nil || len(got) != 1 || got[0].Body != "new" {
			t.Fatalf("received %+v, %v", got, err)
		}
		return got[0]
	}
	for range 5 {
		m := receive()
		if m.Receives != 1 {
			t.Fatalf("it was received %d times", m.Receives)
		}
		for range 2 { // the second has no good receipt
			if err := s.Unreceive(t.Context(), "jobs", 0, m.Receipt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Return(t.Context(), "jobs", 0, receive().Receipt); err != nil {
		t.Fatal(err)
	}
	if m := receive(); m.Receives != 2 {
		t.Errorf("it was received %d times", m.Receives)
	}
}

// TestFIFO: a group is in order, one receiver at a time; what was sent twice comes once.
func TestFIFO(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	url := create(t, c, "jobs.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
	for _, body := range []string{"1", "2", "1", "3"} {
		if _, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(body), MessageGroupId: aws.String("g")}); err != nil {
			t.Fatal(err)
		}
	}
	first := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url})
	if len(first) != 1 || *first[0].Body != "1" {
		t.Fatalf("received %+v", first)
	}
	if more := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url}); len(more) != 0 {
		t.Errorf("the group goes on while its first message is in flight: %+v", more)
	}
	if _, err := c.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	rest := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if len(rest) != 2 || *rest[0].Body != "2" || *rest[1].Body != "3" || rest[0].Attributes["MessageGroupId"] != "g" || rest[0].Attributes["SequenceNumber"] == "" {
		t.Errorf("received %+v", rest)
	}
	_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
	if code(err) != "InvalidParameterValue" {
		t.Errorf("a message without a group: %v", err)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, resource.Visible{})
	url := create(t, c, "jobs", nil)
	var entries []types.SendMessageBatchRequestEntry
	for i := range 9 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String("body " + strconv.Itoa(i))})
	}
	entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String("late"), MessageBody: aws.String("x"), DelaySeconds: 901})
	out, err := c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	if err != nil || len(out.Successful) != 9 || len(out.Failed) != 1 || *out.Failed[0].Id != "late" {
		t.Fatalf("%+v, %v", out, err)
	}
	var removals []types.DeleteMessageBatchRequestEntry
	for _, m := range receive(t, c, sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10}) {
		removals = append(removals, types.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
	}
	removed, err := c.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: removals})
	if err != nil || len(removed.Successful) != 9 {
		t.Errorf("%+v, %v", removed, err)
	}
	_, err = c.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: append(entries, entries[0])})
	if code(err) != "AWS.SimpleQueueService.TooManyEntriesInBatchRequest" && code(err) != "TooManyEntriesInBatchRequest" {
		t.Errorf("11 entries: %v", err)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	c, store := serve(t, resource.Visible{Only: map[resource.Named]bool{{Kind: aloft.Queue, Name: "jobs"}: true, {Kind: aloft.Queue, Name: "lost"}: true}})
	if _, err := store.Create(t.Context(), queue.Queue{Name: "secrets"}); err != nil {
		t.Fatal(err)
	}
	url := create(t, c, "jobs", map[string]string{"DelaySeconds": "5"})
	if same := create(t, c, "jobs", map[string]string{"DelaySeconds": "5"}); *same != *url {
		t.Errorf("made again it has the address %s", *same)
	}
	for want, err := range map[string]error{
		"QueueAlreadyExists": func() error {
			_, err := c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("jobs"), Attributes: map[string]string{"DelaySeconds": "6"}})
			return err
		}(),
		"AccessDenied": func() error {
			_, err := c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("more")})
			return err
		}(),
		"AWS.SimpleQueueService.NonExistentQueue": func() error {
			_, err := c.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("secrets")})
			return err
		}(),
		"InvalidAttributeName": func() error {
			_, err := c.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Colour": "red"}})
			return err
		}(),
	} {
		if code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := c.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"team": "shop"}}); err != nil {
		t.Fatal(err)
	}
	if tags, err := c.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: url}); err != nil || tags.Tags["team"] != "shop" {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || got.Attributes["ApproximateNumberOfMessagesDelayed"] != "1" || got.Attributes["VisibilityTimeout"] != "30" || got.Attributes["DelaySeconds"] != "5" {
		t.Errorf("attributes %v, %v", got, err)
	}
	if _, err := c.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: url}); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Counts(t.Context(), "jobs"); err != nil || n.Delayed != 0 {
		t.Errorf("after a purge: %+v, %v", n, err)
	}
	if _, err := c.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: url}); err != nil {
		t.Fatal(err)
	}
	list, err := c.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(list.QueueUrls) != 0 {
		t.Errorf("queues %v, %v", list.QueueUrls, err)
	}
}
