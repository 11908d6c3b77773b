package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/aloft-run/aloft/internal/runtimeapi"
)

// officialWord makes the test binary a Lambda function that is written with AWS's own client for Go.
const officialWord = "official"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == officialWord {
		lambda.Start(official)
		return
	}
	os.Exit(m.Run())
}

func official(ctx context.Context, event map[string]string) (any, error) {
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	switch event["do"] {
	case "fail":
		return nil, errors.New("no such thing")
	case "panic":
		panic("at the disco")
	case "stream":
		return &events.LambdaFunctionURLStreamingResponse{StatusCode: 201, Body: strings.NewReader("streamed " + event["text"])}, nil
	}
	return map[string]any{"echo": event["text"], "id": about.AwsRequestID, "arn": about.InvokedFunctionArn, "later": deadline.After(time.Now())}, nil
}

// officialRuntime is one of AWS's clients at work.
type officialRuntime struct{ *bench }

// startOfficial starts a client with a Runtime API of its own. It is ended with the test.
func startOfficial(t *testing.T, cmd *exec.Cmd) *officialRuntime {
	t.Helper()
	b := newBench(t)
	cmd.Env = append(cmd.Env, "AWS_LAMBDA_RUNTIME_API="+b.addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		b.Close()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return &officialRuntime{b}
}

func (r *officialRuntime) invoke(t *testing.T, id, event string) *runtimeapi.Reply {
	t.Helper()
	reply, err := r.Invoke(t.Context(), &runtimeapi.Call{ID: id, Payload: []byte(event), ARN: "arn:x", Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// echoes checks that the handler gets an event and what Lambda says about it.
func (r *officialRuntime) echoes(t *testing.T, text string) {
	t.Helper()
	var got struct {
		Echo, ID, ARN string
		Later         bool
	}
	reply := r.invoke(t, "id-1", `{"text":"`+text+`"}`)
	if err := json.Unmarshal(reply.Payload, &got); err != nil || got.Echo != text || got.ID != "id-1" || got.ARN != "arn:x" || !got.Later {
		t.Errorf("answer %s, %v", reply.Payload, err)
	}
}

// streams checks that the handler streams an HTTP response.
func (r *officialRuntime) streams(t *testing.T, text string) {
	t.Helper()
	reply := r.invoke(t, "id-3", `{"do":"stream","text":"`+text+`"}`)
	if reply.Stream == nil {
		t.Fatalf("no stream: %+v", reply)
	}
	body, err := io.ReadAll(reply.Stream)
	if err != nil || !strings.HasPrefix(string(body), `{"statusCode":201`) || !strings.HasSuffix(string(body), strings.Repeat("\x00", 8)+"streamed "+text) {
		t.Errorf("stream %q, %v", body, err)
	}
}

// TestOfficialClient: AWS's client for Go works with the Runtime API as it does with Lambda's.
func TestOfficialClient(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, officialWord)
	cmd.Env = append(os.Environ(), "_LAMBDA_SERVER_PORT=")
	r := startOfficial(t, cmd)
	r.echoes(t, "hé")
	if reply := r.invoke(t, "id-2", `{"do":"fail"}`); reply.Failure == nil || reply.Failure.Type != "Unhandled" || !strings.Contains(string(reply.Failure.Payload), "errorString") || !strings.Contains(string(reply.Failure.Payload), "no such thing") {
		t.Errorf("failure %+v", reply)
	}
	r.streams(t, "words")
	if reply := r.invoke(t, "id-4", `{"do":"panic"}`); reply.Failure == nil || !strings.Contains(string(reply.Failure.Payload), "at the disco") {
		t.Errorf("panic %+v", reply)
	}
}
