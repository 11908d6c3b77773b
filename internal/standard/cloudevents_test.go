package standard_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// notes is a handler that keeps what it is invoked with in files.
const notes = `
import json, os, uuid
def handler(event, context):
    path = os.path.join(os.environ["NOTES"], str(uuid.uuid4()))
    with open(path + ".part", "w") as f:
        json.dump({"event": event, "env": {k: v for k, v in os.environ.items() if k.endswith(("_BUCKET", "_URL", "_ARN", "_STREAM", "_TABLE"))}}, f)
    os.rename(path + ".part", path)
`

// TestEventsArrive makes a stack with every kind of store that the emulator has, and a function that gets events from them, and
// makes each happen.
func TestEventsArrive(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := &stackWorld{cloud: cloud, dir: t.TempDir()}
	w.create(t, w.template(t))
	for _, happen := range []struct {
		source string
		make   func(ctx context.Context) error
	}{
		{"aws:sqs", w.send}, {"aws:sns", w.publish}, {"aws:s3", w.put}, {"aws:kinesis", w.record}, {"aws:dynamodb", w.item},
	} {
		if err := happen.make(t.Context()); err != nil {
			t.Errorf("%s: %v", happen.source, err)
		}
		w.await(t, happen.source)
	}
	w.checkEnv(t)
}

// checkEnv looks at the variables that the function had: those of what it uses, and no others.
func (w *stackWorld) checkEnv(t *testing.T) {
	t.Helper()
	if w.env["CARTS_TABLE"] != "" {
		t.Error("the function has the variable of a table that it does not use")
	}
	for name, want := range map[string]string{
		"UPLOADS_BUCKET": "shop-uploads-staging-123456789012-" + w.cloud.Config.Region, "JOBS_QUEUE_URL": "/123456789012/shop-jobs-staging",
		"NEWS_TOPIC_ARN": ":shop-news-staging", "CLICKS_STREAM": "shop-clicks-staging", "PLAIN_TABLE": "shop-plain-staging", "SESSION_SECRET_ARN": "",
	} {
		if got := w.env[name]; got == "" || !strings.HasSuffix(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

type stackWorld struct {
	cloud *awstest.Cloud
	dir   string
	env   map[string]string // that the function had
}

func (w *stackWorld) template(t *testing.T) string {
	t.Helper()
	kinds := standard.EventSources(standard.Sourced{})
	out, err := stack.Render(stack.Input{
		Region: w.cloud.Config.Region, Kinds: standard.CloudKinds(), Code: stack.Object{Bucket: "code", Key: "notes.zip"}, DeleteData: true,
		Sources: func(uri string) (eventsource.Source, error) { return kinds.Parse(stage(), uri) },
		Release: aloft.Release{
			StageRef: stage(), Version: 1, AWS: &aloft.AWS{Regions: []string{w.cloud.Config.Region}, Architecture: aloft.X8664},
			Resources: slices.DeleteFunc(graph(), func(r aloft.Resource) bool {
				return slices.Contains([]string{aloft.Postgres, aloft.Cache, aloft.Search, aloft.Mail}, r.Type)
			}),
			Functions: []aloft.Function{{
				Name: "notes", Kind: aloft.Handler, Runtime: "python3.13", Handler: "notes.handler", Env: map[string]string{"NOTES": w.dir},
				Uses: []string{"uploads", "jobs", "news", "clicks", "plain", "session"},
				EventSources: []string{
					"queue:jobs", "topic:news", "bucket:uploads?prefix=in/", "stream:clicks?position=trim-horizon", "table:plain?position=trim-horizon", "schedule:rate(1 hour)",
				},
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *stackWorld) s3() *s3.Client {
	return s3.NewFromConfig(w.cloud.Config, func(o *s3.Options) { o.UsePathStyle = true })
}

// create makes the stack and waits until it is there.
func (w *stackWorld) create(t *testing.T, template string) {
	t.Helper()
	ctx := t.Context()
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	f, err := z.Create("notes.py")
	if err == nil {
		_, err = f.Write([]byte(notes))
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = w.s3().CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: sdk.String("code"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(w.cloud.Config.Region)},
	})
	if err == nil {
		_, err = w.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: sdk.String("code"), Key: sdk.String("notes.zip"), Body: bytes.NewReader(code.Bytes())})
	}
	if err != nil {
		t.Fatal(err)
	}
	formation, name := cloudformation.NewFromConfig(w.cloud.Config), sdk.String("shop-staging")
	if _, err := formation.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: name, TemplateBody: &template, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	}); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		stacks, err := formation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil {
			t.Fatal(err)
		}
		switch status := stacks.Stacks[0].StackStatus; status {
		case types.StackStatusCreateComplete:
			return
		case types.StackStatusCreateInProgress:
			time.Sleep(100 * time.Millisecond)
		default:
			events, _ := formation.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: name})
			for _, e := range events.StackEvents {
				t.Logf("%s %s %s", sdk.ToString(e.LogicalResourceId), e.ResourceStatus, sdk.ToString(e.ResourceStatusReason))
			}
			t.Fatalf("the stack is %s", status)
		}
	}
}

// await waits for an event of a source, and keeps the variables that the function had.
func (w *stackWorld) await(t *testing.T, source string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		files, err := os.ReadDir(w.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(w.dir, f.Name()))
			if err != nil || strings.HasSuffix(f.Name(), ".part") {
				continue
			}
			if !strings.Contains(string(text), `"`+source+`"`) {
				continue
			}
			var note struct{ Env map[string]string }
			if err := json.Unmarshal(text, &note); err != nil {
				t.Fatal(err)
			}
			w.env = note.Env
			return
		}
	}
	t.Errorf("no event of %s came", source)
}

func (w *stackWorld) send(ctx context.Context) error {
	client := sqs.NewFromConfig(w.cloud.Config)
	queue, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: sdk.String("shop-jobs-staging")})
	if err != nil {
		return err
	}
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: sdk.String("hello")})
	return err
}

func (w *stackWorld) publish(ctx context.Context) error {
	arn := fmt.Sprintf("arn:aws:sns:%s:123456789012:shop-news-staging", w.cloud.Config.Region)
	_, err := sns.NewFromConfig(w.cloud.Config).Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: sdk.String("hello")})
	return err
}

func (w *stackWorld) put(ctx context.Context) error {
	name := "shop-uploads-staging-123456789012-" + w.cloud.Config.Region
	_, err := w.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: sdk.String("in/a.png"), Body: strings.NewReader("x")})
	return err
}

func (w *stackWorld) record(ctx context.Context) error {
	_, err := kinesis.NewFromConfig(w.cloud.Config).PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName: sdk.String("shop-clicks-staging"), PartitionKey: sdk.String("a"), Data: []byte(`{"kind":"new"}`),
	})
	return err
}

// item puts an item by DynamoDB's protocol, whose SDK is not needed for anything else.
func (w *stackWorld) item(ctx context.Context) error {
	text, err := json.Marshal(map[string]any{"TableName": "shop-plain-staging", "Item": map[string]any{"id": map[string]string{"S": "a"}}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cloud.Endpoint, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20260101/"+w.cloud.Config.Region+"/dynamodb/aws4_request, SignedHeaders=host, Signature=x")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}
