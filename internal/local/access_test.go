package local_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine/enginetest"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/queue"
)

// withQueue is a release that declares a queue.
func withQueue(n int, visibility string, command ...string) aloft.Release {
	r := release(n, command...)
	r.Resources = []aloft.Resource{{Name: "jobs", Type: aloft.Queue, Options: map[string]string{"visibility": visibility}}}
	return r
}

func queueWorld(t *testing.T) (*world, *queue.Store) {
	t.Helper()
	store, err := queue.Open(t.Context(), t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := newWorld(t)
	w.Stores = resource.Set{Types: []resource.Type{store}}
	return w, store
}

// env is what the instance that serves has of the variables for its queue.
func (w *world) env(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_SQS", "JOBS_QUEUE_URL"} {
		value, err := w.get(t.Context(), host, "/env?"+name)
		if err != nil || value == "" {
			t.Fatalf("%s is %q, %v", name, value, err)
		}
		env[name] = value
	}
	return env
}

func client(env map[string]string, key, secret string) *sqs.Client {
	return sqs.New(sqs.Options{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL_SQS"]), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})
}

// TestResources: an instance finds its queue by its environment, and only with its own key, for as long as it runs.
func TestResources(t *testing.T) {
	t.Parallel()
	w, store := queueWorld(t)
	w.apply(t, withQueue(1, "5s"))
	env := w.env(t)
	send := func(key, secret string) error {
		_, err := client(env, key, secret).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(env["JOBS_QUEUE_URL"]), MessageBody: aws.String("x")})
		return err
	}
	id, secret := env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
	if err := send(id, secret); err != nil {
		t.Fatal(err)
	}
	if err := send("AKIAOFNOBODY", secret); err == nil || !strings.Contains(err.Error(), "UnrecognizedClientException") {
		t.Errorf("a wrong key: %v", err)
	}
	if err := send(id, secret+"x"); err == nil || !strings.Contains(err.Error(), "InvalidSignatureException") {
		t.Errorf("a wrong secret: %v", err)
	}
	for _, path := range []string{"/", "/bucket/key"} {
		answer, err := http.Get(env["AWS_ENDPOINT_URL_SQS"] + path)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("without a key: %v, %v", answer, err)
		}
		if err == nil {
			_ = answer.Body.Close()
		}
	}
	list, err := w.Resources(t.Context(), shop)
	if err != nil || len(list) != 1 || list[0].Resource != "jobs" || list[0].Counts[0].N != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	if err := w.Remove(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if all, err := store.Queues(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("after the stage's end there is %v, %v", all, err)
	}
	if err := send(id, secret); err == nil {
		t.Error("the key outlives its release")
	}
}

// TestResourcesOfAFailedRelease: a release that does not start leaves the options of the one that serves.
func TestResourcesOfAFailedRelease(t *testing.T) {
	t.Parallel()
	w, store := queueWorld(t)
	w.apply(t, withQueue(1, "5s"))
	broken := withQueue(2, "50s", enginetest.Child("fail", "no database")...)
	if err := w.Apply(t.Context(), broken, aloft.Discard{}, fine); err == nil {
		t.Fatal("it starts")
	}
	q, err := store.Queue(t.Context(), "shop-jobs-staging")
	if err != nil || q.Attributes["VisibilityTimeout"] != "5" {
		t.Errorf("the queue has %v, %v", q.Attributes, err)
	}
	w.apply(t, withQueue(3, "50s"))
	if q, err = store.Queue(t.Context(), "shop-jobs-staging"); err != nil || q.Attributes["VisibilityTimeout"] != "50" {
		t.Errorf("the queue has %v, %v", q.Attributes, err)
	}
}
