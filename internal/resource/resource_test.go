package resource_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

var shop = aloft.StageRef{App: "shop", Stage: "production"}

func TestEnv(t *testing.T) {
	t.Parallel()
	got := resource.Env(shop, []aloft.Resource{
		{Name: "uploads", Type: aloft.Bucket},
		{Name: "big-jobs", Type: aloft.Queue, Options: map[string]string{"fifo": "true"}},
		{Name: "orders", Type: aloft.Topic},
		{Name: "clicks", Type: aloft.Stream},
	}, "http://127.0.0.1:1", resource.Credentials{ID: "ID", Secret: "SECRET"})
	want := map[string]string{
		"UPLOADS_BUCKET": "shop-uploads", "BIG_JOBS_QUEUE_URL": "http://127.0.0.1:1/000000000000/shop-big-jobs.fifo",
		"ORDERS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:shop-orders", "CLICKS_STREAM": "shop-clicks",
		"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
		"AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_KINESIS": "http://127.0.0.1:1",
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "ID", "AWS_SECRET_ACCESS_KEY": "SECRET",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if resource.Env(shop, nil, "", resource.Credentials{}) != nil {
		t.Error("an app without resources gets variables")
	}
}

// echo is a kind whose handler says its name.
type echo struct {
	resource.Type
	kind string
}

func (e echo) Kind() string { return e.kind }

func (e echo) Handler(resource.Visible) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(e.kind)) })
}

// TestOneAddress: a request is told from others by what every client of its service sends.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	var set resource.Set
	for _, kind := range []string{aloft.Bucket, aloft.Queue, aloft.Topic, aloft.Stream} {
		set.Types = append(set.Types, echo{kind: kind})
	}
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	scope := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=ID/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	for _, c := range []struct {
		url, target, authorization, kind, want string
	}{
		{"/", "AmazonSQS.SendMessage", scope("sqs"), "", aloft.Queue},
		{"/", "Kinesis_20131202.PutRecord", scope("kinesis"), "", aloft.Stream},
		{"/", "", scope("sns"), form, aloft.Topic},
		{"/", "", "", form, aloft.Topic},
		{"/b/k", "", scope("s3"), "", aloft.Bucket},
		{"/b/k", "", "", "", aloft.Bucket},
		{"/b/k?X-Amz-Credential=ID%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", "", "", form, aloft.Bucket},
		{"/", "DynamoDB_20120810.GetItem", scope("dynamodb"), "", "aloft serves"},
		{"/", "", scope("lambda"), "", "aloft serves"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.url, nil)
		for name, value := range map[string]string{"X-Amz-Target": c.target, "Authorization": c.authorization, "Content-Type": c.kind} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		set.Handler(resource.Visible{}).ServeHTTP(w, r)
		if !strings.HasPrefix(w.Body.String(), c.want) {
			t.Errorf("%+v reaches %q", c, w.Body)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	options := map[string]string{"n": "5", "d": "90s", "f": "true", "bad": "x", "half": "1500ms"}
	if n, err := resource.Number(options, "n", 1, 1, 9); n != 5 || err != nil {
		t.Error(n, err)
	}
	if d, err := resource.Period(options, "d", 1, 1, 100); d != 90 || err != nil {
		t.Error(d, err)
	}
	if f, err := resource.Flag(options, "f"); !f || err != nil {
		t.Error(f, err)
	}
	_, first := resource.Number(options, "bad", 1, 1, 9)
	_, second := resource.Period(options, "half", 1, 1, 9)
	_, third := resource.Flag(options, "bad")
	_, fourth := resource.Number(options, "n", 1, 1, 4)
	for _, err := range []error{first, second, third, fourth} {
		if aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("a bad option: %v", err)
		}
	}
}

// TestIsStreamed: what is read as a whole counts as memory, the documents of S3 too.
func TestIsStreamed(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]bool{http.MethodPut: true, http.MethodGet: true, http.MethodPost: false} {
		if got := resource.IsStreamed(httptest.NewRequestWithContext(t.Context(), method, "/bucket?delete", nil)); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
}
