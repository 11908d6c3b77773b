package testevent_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/testevent"
)

// now is when the events of the tests are made.
var now = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)

// decode reads an event with AWS's types, which must know all of it.
func decode[T any](t *testing.T, kind string, set map[string]string) T {
	t.Helper()
	var event T
	text, err := testevent.Make(kind, set, now)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`"principalOrgId":null,`), nil, 1) // AWS sends it, and its types do not know it
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&event); err != nil {
		t.Fatalf("%s: %v in %s", kind, err, text)
	}
	return event
}

// TestShapes: AWS's own types have a field for each member, and find in it what they should.
func TestShapes(t *testing.T) {
	t.Parallel()
	if m := decode[events.SQSEvent](t, "sqs", map[string]string{"queue": "q", "body": "<b>&"}).Records[0]; m.Body != "<b>&" || m.EventSourceARN != "arn:aws:sqs:us-east-1:000000000000:q" ||
		m.Md5OfBody != "7679b89099a8a081b60d41bb9c524fb2" || m.Attributes["SentTimestamp"] != "1772600767089" || m.EventSource != "aws:sqs" || len(m.MessageId) != 36 {
		t.Errorf("sqs: %+v", m)
	}
	if m := decode[events.SNSEvent](t, "sns", map[string]string{"message": "m"}).Records[0]; m.SNS.Message != "m" || m.SNS.TopicArn != "arn:aws:sns:us-east-1:000000000000:orders" || !m.SNS.Timestamp.Equal(now) {
		t.Errorf("sns: %+v", m)
	}
	if m := decode[events.S3Event](t, "s3", map[string]string{"bucket": "b", "key": "a b/ü+1"}).Records[0]; m.S3.Object.URLDecodedKey != "a b/ü+1" || m.S3.Object.Key != "a+b/%C3%BC%2B1" ||
		m.S3.Bucket.Arn != "arn:aws:s3:::b" || m.S3.Object.Size != 1024 || m.EventName != "ObjectCreated:Put" || !m.EventTime.Equal(now) {
		t.Errorf("s3: %+v", m)
	}
	if m := decode[events.KinesisEvent](t, "kinesis", map[string]string{"data": "d"}).Records[0]; string(m.Kinesis.Data) != "d" || m.EventSourceArn != "arn:aws:kinesis:us-east-1:000000000000:stream/clicks" ||
		m.Kinesis.ApproximateArrivalTimestamp.Unix() != now.Unix() {
		t.Errorf("kinesis: %+v", m)
	}
	if m := decode[events.DynamoDBEvent](t, "dynamodb", nil).Records[0]; m.Change.NewImage["Message"].String() != "New item!" || m.Change.Keys["Id"].Number() != "101" || m.Change.OldImage != nil {
		t.Errorf("dynamodb: %+v", m)
	}
	logs := decode[events.CloudwatchLogsEvent](t, "logs", map[string]string{"message": "said"})
	if data, err := logs.AWSLogs.Parse(); err != nil || data.LogEvents[0].Message != "said" || data.LogEvents[0].Timestamp != now.UnixMilli() {
		t.Errorf("logs: %+v, %v", data, err)
	}
	for kind, detailType := range map[string]string{"schedule": "Scheduled Event", "eventbridge": "order"} {
		if m := decode[events.CloudWatchEvent](t, kind, nil); m.DetailType != detailType || m.Version != "0" || m.Time.Unix() != now.Unix() {
			t.Errorf("%s: %+v", kind, m)
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	set := map[string]string{"method": "POST", "path": "/a b", "query": "x=1", "body": `{"a":1}`}
	if r := decode[events.APIGatewayV2HTTPRequest](t, "apigw-v2", set); r.RequestContext.HTTP.Method != http.MethodPost || r.RawPath != "/a b" || r.Body != `{"a":1}` || r.QueryStringParameters["x"] != "1" || r.Version != "2.0" {
		t.Errorf("apigw-v2: %+v", r)
	}
	if r := decode[events.APIGatewayProxyRequest](t, "apigw-v1", set); r.HTTPMethod != http.MethodPost || r.Body != `{"a":1}` || r.QueryStringParameters["x"] != "1" {
		t.Errorf("apigw-v1: %+v", r)
	}
	if r := decode[events.APIGatewayV2HTTPRequest](t, "function-url", set); !strings.Contains(r.RequestContext.DomainName, ".lambda-url.") || r.RequestContext.HTTP.Method != http.MethodPost || r.RawPath != "/a%20b" || r.Body != `{"a":1}` {
		t.Errorf("function-url: %+v", r)
	}
	if r := decode[events.ALBTargetGroupRequest](t, "alb", set); r.HTTPMethod != http.MethodPost || r.Body != `{"a":1}` || !strings.Contains(r.RequestContext.ELB.TargetGroupArn, "targetgroup") {
		t.Errorf("alb: %+v", r)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	m := decode[events.S3Event](t, "s3", map[string]string{"Records.0.s3.object.size": "7", "Records.0.s3.object.versionId": "abc", "Records.0.awsRegion": `"eu-west-1"`}).Records[0]
	if m.S3.Object.Size != 7 || m.S3.Object.VersionID != "abc" || m.AWSRegion != "eu-west-1" {
		t.Errorf("s3: %+v", m)
	}
	for _, test := range []struct {
		kind, name, value string
		code              aloft.Code
	}{
		{"sqsx", "", "", aloft.NotFound},
		{"s3", "Records.1.x", "1", aloft.Invalid},
		{"s3", "Records.x", "1", aloft.Invalid},
		{"s3", "Recordz.0", "1", aloft.Invalid},
		{"s3", "Records.0.awsRegion.x", "1", aloft.Invalid},
		{"s3", "size", "big", aloft.Invalid},
		{"dynamodb", "new", "{", aloft.Invalid},
		{"eventbridge", "detail", "x", aloft.Invalid},
		{"alb", "path", "x", aloft.Invalid},
		{"alb", "method", "A B", aloft.Invalid},
	} {
		if text, err := testevent.Make(test.kind, map[string]string{test.name: test.value}, now); aloft.ErrorCode(err) != test.code {
			t.Errorf("%s with %s=%s: %s, %v", test.kind, test.name, test.value, text, err)
		}
	}
	for _, k := range testevent.Kinds() {
		text, err := testevent.Make(k.Name, nil, now)
		if err != nil || !json.Valid(text) || k.About == "" || len(k.Settings) == 0 {
			t.Errorf("%s: %s, %v", k.Name, text, err)
		}
	}
}
