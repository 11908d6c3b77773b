package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft"
)

// TestAllows: a statement for requests through another gateway lets nobody in through the stack's.
func TestAllows(t *testing.T) {
	t.Parallel()
	const source = "arn:aws:execute-api:eu-west-1:123456789012:mine/*"
	for from, want := range map[string]bool{
		`{"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-west-1:123456789012:mine/*/*/hello"}}`: true,
		`{"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-west-1:123456789012:other/*"}}`:        false,
		`{}`: true,
	} {
		var p policy
		text := `{"Statement": [{"Action": "lambda:InvokeFunction", "Principal": {"Service": "apigateway.amazonaws.com"}, "Condition": ` + from + `}]}`
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.allows(permission{action: "lambda:InvokeFunction", principal: gateway, sourced: true}, source); got != want {
			t.Errorf("%s allows: %t", from, got)
		}
	}
}

// TestOtherIDs: the gateway of a stack that was others' is found by the id that it has there.
func TestOtherIDs(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if r.FormValue("LogicalResourceId") != "HttpApi" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>there is none</Message></Error></ErrorResponse>")
			return
		}
		fmt.Fprint(w, "<DescribeStackResourceResponse><DescribeStackResourceResult><StackResourceDetail><PhysicalResourceId>abc123</PhysicalResourceId></StackResourceDetail></DescribeStackResourceResult></DescribeStackResourceResponse>")
	}))
	defer server.Close()
	config := sdk.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")}
	r := New(Options{Session: &Session{Config: config, Account: "123456789012"}, Objects: func(string) Objects { return nil }}).in("eu-west-1")
	release := aloft.Release{StageRef: aloft.StageRef{App: "shop", Stage: "production"}, AWS: &aloft.AWS{Stack: "Theirs", IDs: map[string]string{"Api": "HttpApi"}}}
	if at, err := r.gatewayOf(t.Context(), release); err != nil || at.dimensions["ApiId"] != "abc123" {
		t.Errorf("%+v %v", at, err)
	}
	release.AWS.Endpoint = aloft.RESTAPI // whose id is another one
	r2 := &regional{region: r, deployment: &deployment{release: release}}
	if at, err := r2.gatewayARN(t.Context()); err == nil {
		t.Errorf("the gateway of a REST API is %s", at)
	}
	release.AWS.IDs["RestApi"] = "HttpApi"
	if at, err := r2.gatewayARN(t.Context()); err != nil || at != "arn:aws:execute-api:eu-west-1:123456789012:abc123/*" {
		t.Errorf("%s %v", at, err)
	}
	release.AWS.Endpoint, release.AWS.IDs = "", nil
	if at, err := r.gatewayOf(t.Context(), release); err != nil || at.namespace != "" {
		t.Errorf("%+v %v", at, err)
	}
}
