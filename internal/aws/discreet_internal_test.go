package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/mem"
)

// planted is a reason as AWS gives it, with a variable in clear.
const planted = "the environment variables\nyou have provided exceeded the 4KB limit. String measured: {&quot;KEY&quot;:&quot;s3cret&quot;}"

// leaky is an AWS that fails, and says why with a variable in clear.
func leaky(w http.ResponseWriter, r *http.Request) {
	reason := strings.ReplaceAll(planted, "&quot;", `"`)
	if strings.Contains(r.URL.Path, "/functions/") {
		answer := map[string]any{"State": "Failed", "StateReason": reason, "LastUpdateStatus": "Failed", "LastUpdateStatusReason": reason, "Version": "1"}
		if strings.HasSuffix(r.URL.Path, "/concurrency") {
			answer = map[string]any{}
		}
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	const stack = "<Stacks><member><StackName>hello-production</StackName><StackId>s</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>" +
		"<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus><StackStatusReason>" + planted + "</StackStatusReason></member></Stacks>"
	const event = "<StackEvents><member><EventId>1</EventId><StackId>s</StackId><StackName>hello-production</StackName><Timestamp>2026-01-01T00:00:00Z</Timestamp>" +
		"<LogicalResourceId>WebFunction</LogicalResourceId><ResourceStatus>UPDATE_FAILED</ResourceStatus><ResourceStatusReason>" + planted + "</ResourceStatusReason></member></StackEvents>"
	const invalid = "<OperationEvents><member><EventId>1</EventId><LogicalResourceId>WebFunction</LogicalResourceId><ValidationStatusReason>" + planted + "</ValidationStatusReason></member></OperationEvents>"
	answers := map[string]string{
		"DescribeStacks": stack, "DescribeStackEvents": event, "DescribeEvents": invalid, "DeleteChangeSet": "",
		"DetectStackDrift":                  "<StackDriftDetectionId>d</StackDriftDetectionId>",
		"DescribeStackDriftDetectionStatus": "<DetectionStatus>DETECTION_FAILED</DetectionStatus><DetectionStatusReason>" + planted + "</DetectionStatusReason>",
	}
	action := r.FormValue("Action")
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, answers[action])
}

// said keeps what is reported.
type said struct{ text strings.Builder }

// empty is a bucket with nothing in it.
type empty struct{ Objects }

func (empty) Get(context.Context, string) (io.ReadCloser, error) {
	return nil, aloft.Errorf(aloft.NotFound, "there is nothing")
}

func (s *said) Report(event aloft.Event) { fmt.Fprintf(&s.text, "%+v\n", event) }

// TestNothingSaysVariables has AWS give reasons with a variable in clear wherever it gives any.
func TestNothingSaysVariables(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(leaky))
	defer server.Close()
	config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
	ref := aloft.StageRef{App: "hello", Stage: "production"}
	store := &mem.Store{}
	must(t, store.CreateApp(t.Context(), aloft.App{Name: ref.App}))
	must(t, store.CreateStage(t.Context(), aloft.Stage{StageRef: ref}))
	release, err := store.CreateRelease(t.Context(), aloft.Release{
		StageRef: ref, AWS: &aloft.AWS{Regions: []string{"eu-west-1"}}, Artifact: aloft.Artifact{Digest: "d"}, Functions: []aloft.Function{{Name: "web", Kind: aloft.Web}},
	})
	must(t, err)
	must(t, store.FinishRelease(t.Context(), ref, release.Version, ""))
	p := New(Options{Session: &Session{Config: config}, Releases: store, Poll: time.Millisecond, Objects: func(string) Objects { return empty{} }})
	r := &regional{region: p.in("eu-west-1"), deployment: &deployment{platform: p, release: release}}
	report := &said{}

	texts := map[string]string{}
	seen, err := p.Look(t.Context(), ref)
	must(t, err)
	texts["status of the stack"] = fmt.Sprint(seen)
	instance, err := r.instance(t.Context(), release, release.Functions[0], "1")
	must(t, err)
	texts["status of a function"] = fmt.Sprint(instance)
	texts["a function that does not settle"] = fmt.Sprint(r.settle(t.Context(), "hello-web", ""))
	_, err = r.drift(t.Context(), "hello-production")
	texts["drift"] = fmt.Sprint(err)
	status, reason, err := r.follow(t.Context(), following{name: "hello-production", id: "s", report: report})
	must(t, err)
	texts["a change that failed"] = r.failure(change{stack: "hello-production"}, status, reason).Error()
	texts["events"] = report.text.String()
	_, reason, err = r.follow(t.Context(), following{name: "hello-production", id: "s", report: report, seen: map[string]bool{"1": true}})
	must(t, err)
	texts["a change that failed without events"] = reason
	if !strings.Contains(texts["events"], "WebFunction (): the environment variables you have") {
		t.Errorf("a part that failed and why are no line: %s", texts["events"])
	}
	for name, text := range texts {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "exceeded the 4KB limit") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestErrorsSayNoVariable has requests refused, with what they were refused for in clear, in all the ways that errors are told apart.
func TestErrorsSayNoVariable(t *testing.T) {
	t.Parallel()
	const quoted = "1 validation error detected: Value '[Parameter(ParameterKey=KEY, ParameterValue=s3cret)]' at 'parameters' failed to satisfy constraint: Member must have length less than or equal to 200"
	s := &Session{}
	for _, message := range []string{strings.ReplaceAll(planted, "&quot;", `"`), quoted} {
		for _, code := range []string{"InvalidParameterValueException", "Throttling", "AccessDenied", "ExpiredToken", ""} {
			err := error(&smithy.GenericAPIError{Code: code, Message: message})
			told := map[string]error{"explain": s.explain(err, "change it"), "failed": failed(err, "change it"), "interrupted": s.explain(errors.Join(context.Canceled, err), "change it")}
			for name, e := range told {
				ours, is := errors.AsType[*aloft.Error](e)
				if !is || strings.Contains(e.Error()+ours.Hint+ours.Detail, "s3cret") {
					t.Errorf("%s of %q: %v", name, code, e)
				}
			}
			if !errors.Is(told["interrupted"], context.Canceled) {
				t.Errorf("%q is not known as an interrupt", code)
			}
		}
	}
}

// TestDriftSaysNoVariable: what somebody set by hand may be a secret, too.
func TestDriftSaysNoVariable(t *testing.T) {
	t.Parallel()
	r := New(Options{Session: &Session{}, Objects: func(string) Objects { return nil }}).in("eu-west-1")
	kind := "AWS::Lambda::Function"
	for _, path := range []string{"/Environment/Variables/KEY", "/Environment"} {
		one, is := r.driftOf(types.StackResourceDrift{ResourceType: &kind, PropertyDifferences: []types.PropertyDifference{
			{PropertyPath: &path, ExpectedValue: sdk.String("s3cret of before"), ActualValue: sdk.String("s3cret")},
		}})
		if text := fmt.Sprint(one); !is || strings.Contains(text, "s3cret") || !strings.Contains(text, path) {
			t.Errorf("drift: %s", text)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
