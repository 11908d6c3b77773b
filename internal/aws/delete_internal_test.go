package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
)

// TestDeletesAgain has a second deletion begin late: until then the stack looks as the first one left it, which is no reason to
// give up what it could not delete.
func TestDeletesAgain(t *testing.T) {
	t.Parallel()
	const gone = "DELETE_COMPLETE"
	states := []string{
		"DELETE_IN_PROGRESS", "DELETE_FAILED", // the first
		"DELETE_FAILED",                                              // as it is before the second
		"DELETE_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS", gone, // the second
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, action := "", r.FormValue("Action")
		switch action {
		case "DeleteStack":
			asked = append(asked, "delete "+r.FormValue("DeletionMode"))
		case "DescribeStacks":
			body = "<Stacks><member><StackName>hello</StackName><StackId>s</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>" + states[0] + "</StackStatus></member></Stacks>"
			if len(states) > 1 {
				states = states[1:]
			}
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, body)
	}))
	defer server.Close()
	config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
	r := New(Options{Session: &Session{Config: config}, Poll: time.Millisecond, Objects: func(string) Objects { return nil }}).in("eu-west-1")
	found := &types.Stack{StackStatus: types.StackStatusUpdateComplete, StackName: sdk.String("hello"), StackId: sdk.String("s")}
	if err := r.delete(t.Context(), found, aloft.Discard{}); err != nil || !slices.Equal(asked, []string{"delete ", "delete "}) {
		t.Errorf("asked %q: %v", asked, err)
	}
}
