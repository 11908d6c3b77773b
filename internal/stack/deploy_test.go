package stack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/shim/shimbin"
	"github.com/aloft-run/aloft/internal/stack"
)

// webServer is an app that needs nothing but Python, which the emulator is made of.
const webServer = `#!/bin/sh
exec python3 -c '
import http.server, os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("%s of %s says %s" % (self.path, os.environ["ALOFT_STAGE"], os.environ["GREETING"])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), H).serve_forever()
'
`

// runtimeClient is a handler that speaks the Runtime API itself and is not called bootstrap.
const runtimeClient = `#!/usr/bin/env python3
import json, os, urllib.request
api = "http://%s/2018-06-01/runtime/invocation/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
while True:
    with urllib.request.urlopen(api + "next") as r:
        id, event = r.headers["Lambda-Runtime-Aws-Request-Id"], json.load(r)
    reply = {"statusCode": 200, "body": "hook says " + os.environ["GREETING"]}
    urllib.request.urlopen(api + id + "/response", json.dumps(reply).encode())
`

// TestDeploy makes stacks of an emulator, with the shim that releases have, and asks each for a page.
func TestDeploy(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	shim, _, err := shimbin.Layer(t.Context(), runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{aloft.HTTPAPI, aloft.URLEndpoint, aloft.RESTAPI} {
		t.Run(endpoint, func(t *testing.T) {
			r := release("hello-"+endpoint, aloft.Function{Name: "web", Kind: aloft.Web, Command: []string{"./server"}}, aloft.Function{
				Name: "hook", Kind: aloft.Handler, Handler: "hook", Runtime: "provided.al2023", Command: []string{"./hook"}, Format: "apigw-v1", URL: &aloft.FunctionURL{},
			})
			r.AWS.Endpoint, r.AWS.Regions, r.AWS.Architecture = endpoint, []string{cloud.Config.Region}, aloft.X8664
			if runtime.GOARCH == "arm64" {
				r.AWS.Architecture = aloft.ARM64
			}
			artifact := awstest.Zip(t, map[string]string{"server": webServer, "hook": runtimeClient})
			sum := sha256.Sum256(artifact)
			r.Artifact.Digest = hex.EncodeToString(sum[:])
			in := input(r)
			in.Region = cloud.Config.Region
			in.Config.Variables = map[string]aloft.Config{"web": {"GREETING": "hello"}, "hook": {"GREETING": "hello"}}
			upload(t, cloud, in.Code, artifact)
			upload(t, cloud, in.Shim, shim)
			outputs := create(t, cloud, in)
			if outputs[stack.OutputRelease] != "v12" {
				t.Errorf("outputs %v", outputs)
			}
			if got := get(t, cloud, outputs["HookFunctionURL"]); got != "hook says hello" {
				t.Errorf("%s answered %q", outputs["HookFunctionURL"], got)
			}
			if endpoint == aloft.RESTAPI {
				return // MiniStack does not know the URI that has a REST API stream
			}
			if got := get(t, cloud, strings.TrimSuffix(outputs[stack.OutputURL], "/")+"/page"); got != "/page of production says hello" {
				t.Errorf("%s answered %q", outputs[stack.OutputURL], got)
			}
		})
	}
}

func upload(t *testing.T, cloud *awstest.Cloud, object stack.Object, data []byte) {
	t.Helper()
	client := s3.NewFromConfig(cloud.Config, func(o *s3.Options) { o.UsePathStyle = true })
	_, _ = client.CreateBucket(t.Context(), &s3.CreateBucketInput{ // it may be there
		Bucket: &object.Bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(cloud.Config.Region)},
	})
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &object.Bucket, Key: &object.Key, Body: bytes.NewReader(data)}); err != nil {
		t.Fatal(err)
	}
}

// create makes a stack and returns its outputs.
func create(t *testing.T, cloud *awstest.Cloud, in stack.Input) map[string]string {
	t.Helper()
	out, text := render(t, in)
	var parameters []types.Parameter
	for name, value := range out.Parameters {
		parameters = append(parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	name := in.Release.App + "-" + in.Release.Stage
	client := cloudformation.NewFromConfig(cloud.Config)
	_, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: aws.String(string(text)), Parameters: parameters, Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	})
	if err != nil {
		t.Fatal(err)
	}
	describe := &cloudformation.DescribeStacksInput{StackName: &name}
	waiter := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := waiter.Wait(t.Context(), describe, time.Minute); err != nil {
		t.Fatalf("%v\n%s", err, events(t, client, name))
	}
	found, err := client.DescribeStacks(t.Context(), describe)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, o := range found.Stacks[0].Outputs {
		outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return outputs
}

func events(t *testing.T, client *cloudformation.Client, name string) string {
	t.Helper()
	out, err := client.DescribeStackEvents(context.WithoutCancel(t.Context()), &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range out.StackEvents {
		b.WriteString(aws.ToString(e.LogicalResourceId) + " " + string(e.ResourceStatus) + " " + aws.ToString(e.ResourceStatusReason) + "\n")
	}
	return b.String()
}

func get(t *testing.T, cloud *awstest.Cloud, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := cloud.Client()
	request.URL.Scheme = "http"
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
