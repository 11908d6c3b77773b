package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestSlowStart: a stack that looks as it did before has not changed as long as its change set says so.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	before := &types.Stack{StackStatus: types.StackStatusUpdateComplete, LastUpdatedTime: sdk.Time(time.Unix(1, 0))}
	for status, want := range map[types.ExecutionStatus]bool{
		types.ExecutionStatusAvailable: false, types.ExecutionStatusExecuteInProgress: false, types.ExecutionStatusExecuteComplete: true,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			fmt.Fprintf(w, "<DescribeChangeSetResponse><DescribeChangeSetResult><ExecutionStatus>%s</ExecutionStatus></DescribeChangeSetResult></DescribeChangeSetResponse>", status)
		}))
		defer server.Close()
		config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
		r := New(Options{Session: &Session{Config: config}, Objects: func(string) Objects { return nil }}).in("eu-west-1")
		f := following{name: "hello", set: "arn:aws:cloudformation:eu-west-1:1:changeSet/v2/1", before: before}
		if over, err := r.isOver(t.Context(), f, before, settling+1); err != nil || over != want {
			t.Errorf("%s: over %v, want %v: %v", status, over, want, err)
		}
		if over, err := r.isOver(t.Context(), f, before, 1); err != nil || over {
			t.Errorf("%s at once: over %v: %v", status, over, err)
		}
	}
}

// TestNeverBegun: a change that failed without a trace in the stack has failed, whatever the stack's status was before.
func TestNeverBegun(t *testing.T) {
	t.Parallel()
	const set = "<DescribeChangeSetResponse><DescribeChangeSetResult><ExecutionStatus>%s</ExecutionStatus><StatusReason>a test</StatusReason></DescribeChangeSetResult></DescribeChangeSetResponse>"
	const none = "<ErrorResponse><Error><Type>Sender</Type><Code>ChangeSetNotFound</Code><Message>none</Message></Error></ErrorResponse>"
	failed, completed := fmt.Sprintf(set, "EXECUTE_FAILED"), fmt.Sprintf(set, "EXECUTE_COMPLETE")
	for _, test := range []struct {
		status      types.StackStatus
		answer      string
		over        bool
		says, about string
	}{
		{types.StackStatusUpdateComplete, failed, false, "a test", "an update"},
		{types.StackStatusReviewInProgress, failed, false, "a test", "a creation"},
		{types.StackStatusReviewInProgress, none, false, "has its change set no more", "a creation whose change set somebody deleted"},
		{types.StackStatusReviewInProgress, completed, false, "", "a creation that is not to be seen yet"},
		{types.StackStatusReviewInProgress, fmt.Sprintf(set, "EXECUTE_IN_PROGRESS"), false, "", "a creation that begins late"},
		{types.StackStatusUpdateComplete, none, true, "", "an update whose change set is gone"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			if test.answer == none {
				w.WriteHeader(http.StatusBadRequest)
			}
			fmt.Fprint(w, test.answer)
		}))
		defer server.Close()
		config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
		r := New(Options{Session: &Session{Config: config}, Objects: func(string) Objects { return nil }}).in("eu-west-1")
		before := &types.Stack{StackStatus: test.status, LastUpdatedTime: sdk.Time(time.Unix(1, 0))}
		f := following{name: "hello", set: "arn:aws:cloudformation:eu-west-1:1:changeSet/v2/1", before: before}
		over, err := r.isOver(t.Context(), f, before, settling+1)
		if over != test.over || (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: over %t: %v", test.about, over, err)
		}
	}
}
