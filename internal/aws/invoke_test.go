package aws_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/mem"
)

// TestInvokedOnce has an answer get lost. Who invokes a function wants it done once.
func TestInvokedOnce(t *testing.T) {
	t.Parallel()
	_, cfg := fake(t, map[string][]string{})
	session, err := aws.Identify(t.Context(), cfg, aws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler) // the connection breaks, as behind a NAT that forgets it
	}))
	defer server.Close()
	loaded, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(home), config.WithRetryMode(sdk.RetryModeAdaptive), config.WithRetryMaxAttempts(3),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIA", "secret", "")))
	if err != nil {
		t.Fatal(err)
	}
	loaded.BaseEndpoint = &server.URL
	session.Config = loaded
	w := &world{T: t, apps: &mem.Store{}, ref: aloft.StageRef{App: "hello", Stage: "production"}, regions: []string{home}, zips: map[string][]byte{}, configs: []aloft.Config{{}}}
	w.must(w.apps.CreateApp(t.Context(), aloft.App{Name: w.ref.App}))
	w.must(w.apps.CreateStage(t.Context(), aloft.Stage{StageRef: w.ref}))
	w.must(w.apps.FinishRelease(t.Context(), w.ref, w.release("one").Version, ""))
	platform := aws.New(aws.Options{Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return nil }})
	if _, err = platform.Invoke(t.Context(), aloft.InvokeInput{Stage: w.ref, Function: "web", Payload: []byte("{}")}); err == nil {
		t.Fatal("nobody answered")
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the function was invoked %d times", n)
	}
}
