package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// TestTakesBackItsOwn interrupts a change of a stack: CloudFormation is asked to take back what it does by the request of this run,
// and nothing that others asked for.
func TestTakesBackItsOwn(t *testing.T) {
	t.Parallel()
	const event = "<StackEvents><member><EventId>2</EventId><StackId>s</StackId><StackName>hello</StackName><Timestamp>2026-01-01T00:00:01Z</Timestamp>%s</member>" +
		"<member><EventId>1</EventId><StackId>s</StackId><StackName>hello</StackName><Timestamp>2026-01-01T00:00:00Z</Timestamp><ClientRequestToken>aloft-v2-mine</ClientRequestToken></member></StackEvents>"
	const mine = "<ClientRequestToken>aloft-v2-mine</ClientRequestToken>"
	whole := &types.Stack{StackStatus: types.StackStatusUpdateComplete}
	tests := []struct {
		name   string
		newest string
		cause  error
		before *types.Stack
		want   bool
	}{
		{"its own", mine, context.Canceled, whole, true},
		{"an emulator that tells no tokens", "", context.Canceled, whole, true},
		{"another's", "<ClientRequestToken>aloft-v3-theirs</ClientRequestToken>", context.Canceled, whole, false},
		{"the lock is lost", mine, aloft.Errorf(aloft.Conflict, "the lock was taken"), whole, false},
		{"a stack that is being made", mine, context.Canceled, nil, false},
		{"a stack that only had a plan", mine, context.Canceled, &types.Stack{StackStatus: types.StackStatusReviewInProgress}, false},
		{"nobody interrupted it", mine, nil, whole, false},
		{"the time for a return is over", mine, context.DeadlineExceeded, whole, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				action := r.FormValue("Action")
				asked = append(asked, action)
				body := ""
				if action == "DescribeStackEvents" {
					body = fmt.Sprintf(event, test.newest)
				}
				w.Header().Set("Content-Type", "text/xml")
				fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, body)
			}))
			defer server.Close()
			config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
			r := New(Options{Session: &Session{Config: config}, Poll: time.Millisecond, Objects: func(string) Objects { return nil }}).in("eu-west-1")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			switch {
			case errors.Is(test.cause, context.DeadlineExceeded):
				late, end := context.WithDeadline(ctx, time.Unix(0, 0))
				defer end()
				ctx = late
			case test.cause != nil:
				cancel(test.cause)
			}
			r.takeBack(ctx, following{name: "hello", id: "s", token: "aloft-v2-mine", before: test.before})
			if got := slices.Contains(asked, "CancelUpdateStack"); got != test.want {
				t.Errorf("canceled: %v; asked %q", got, asked)
			}
		})
	}
}

// TestReturnGoesOn: a return that takes longer than is waited for is CloudFormation's by then, not a failure.
func TestReturnGoesOn(t *testing.T) {
	t.Parallel()
	r := New(Options{Session: &Session{}, Objects: func(string) Objects { return nil }}).in("eu-west-1")
	d := &deployment{current: aloft.Release{Version: 3}}
	found := &types.Stack{StackStatus: types.StackStatusUpdateInProgress, StackName: sdk.String("hello")}
	for _, err := range []error{r.left(context.DeadlineExceeded, "hello"), r.leftWaiting(context.DeadlineExceeded, found)} {
		if text := d.notRestored("eu-west-1", err); !strings.Contains(text, "return of the stack to v3") || !strings.Contains(text, "the next aloft up waits for it") {
			t.Error(text)
		}
	}
	if text := d.notRestored("eu-west-1", aloft.Errorf(aloft.Failed, "a test")); !strings.Contains(text, "v3 could not be made to serve again: a test") {
		t.Error(text)
	}
}
