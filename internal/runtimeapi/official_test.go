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

// TestOfficialClient: AWS's client for Go works with the Runtime API as it does with Lambda's.
func TestOfficialClient(t *testing.T) {
	b := newBench(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, officialWord)
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+b.addr, "_LAMBDA_SERVER_PORT=")
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
	defer func() {
		_ = cmd.Process.Kill()
		<-ended
	}()
	invoke := func(id, event string) *runtimeapi.Reply {
		reply, err := b.Invoke(t.Context(), &runtimeapi.Call{ID: id, Payload: []byte(event), ARN: "arn:x", Deadline: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	var got struct {
		Echo, ID, ARN string
		Later         bool
	}
	reply := invoke("id-1", `{"text":"hé"}`)
	if err := json.Unmarshal(reply.Payload, &got); err != nil || got.Echo != "hé" || got.ID != "id-1" || got.ARN != "arn:x" || !got.Later {
		t.Errorf("answer %s, %v", reply.Payload, err)
	}
	if reply := invoke("id-2", `{"do":"fail"}`); reply.Failure == nil || reply.Failure.Type != "Unhandled" || !strings.Contains(string(reply.Failure.Payload), "errorString") || !strings.Contains(string(reply.Failure.Payload), "no such thing") {
		t.Errorf("failure %+v", reply)
	}
	reply = invoke("id-3", `{"do":"stream","text":"words"}`)
	if reply.Stream == nil {
		t.Fatalf("no stream: %+v", reply)
	}
	if body, err := io.ReadAll(reply.Stream); err != nil || !strings.HasPrefix(string(body), `{"statusCode":201`) || !strings.HasSuffix(string(body), strings.Repeat("\x00", 8)+"streamed words") {
		t.Errorf("stream %q, %v", body, err)
	}
	if reply := invoke("id-4", `{"do":"panic"}`); reply.Failure == nil || !strings.Contains(string(reply.Failure.Payload), "at the disco") {
		t.Errorf("panic %+v", reply)
	}
}
