package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft"
)

// examine asks the new versions of web functions for the path of their health check, before anybody else does.
func (r *regional) examine(ctx context.Context) error {
	for _, f := range r.release.Tuned() {
		if f.Kind != aloft.Web || !slices.Contains(r.tried(), f.Name) {
			continue
		}
		path := "/"
		if f.HealthPath != "" {
			path = f.HealthPath
		}
		if err := r.askVersion(ctx, f.Name, path); err != nil {
			return err
		}
	}
	return nil
}

// askVersion asks a function's new version for a path as API Gateway would.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 2.0)
func (r *regional) askVersion(ctx context.Context, name, path string) error {
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "isBase64Encoded": false,
		"headers": map[string]string{"host": "aloft-probe.invalid", "user-agent": "aloft-probe"},
		"requestContext": map[string]any{
			"stage": "$default", "routeKey": "$default", "requestId": "aloft-probe", "domainName": "aloft-probe.invalid", "timeEpoch": time.Now().UnixMilli(),
			"http": map[string]string{"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "aloft-probe"},
		},
	})
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	function, version := r.out.Functions[name].Lambda, r.moves[name]
	out, err := r.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Qualifier: &version, Payload: event})
	if err != nil {
		return r.Session.explain(err, "ask the version "+version+" of "+function+" in "+r.name)
	}
	if out.FunctionError != nil {
		return r.guilty(ctx, fmt.Sprintf("%s, version %s, fails at GET %s: %s", function, version, path, firstLine(string(out.Payload))))
	}
	var answer struct{ StatusCode int }
	// What streams has its body behind the JSON.
	if err := json.NewDecoder(bytes.NewReader(out.Payload)).Decode(&answer); err == nil && answer.StatusCode >= serverErrors {
		return r.guilty(ctx, fmt.Sprintf("%s, version %s, answers GET %s with %d", function, version, path, answer.StatusCode))
	}
	return nil
}

// versionIn is the version of Lambda that a resource of a stack is.
func (r *region) versionIn(ctx context.Context, stack, id string) (string, error) {
	out, err := r.stacks.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &id})
	if err != nil {
		return "", r.Session.explain(err, "look for the version "+id+" in the stack "+stack)
	}
	arn := sdk.ToString(out.StackResourceDetail.PhysicalResourceId)
	return arn[strings.LastIndex(arn, ":")+1:], nil
}

// tellShared says what changes for the current release too: all of the stack but the functions with their variables, which each
// version has for itself.
func (r *regional) tellShared(ctx context.Context, found *types.Stack) error {
	text, err := r.templateOf(ctx, found)
	if err != nil {
		return err
	}
	before, err := sharedParts([]byte(text))
	if err != nil {
		return err
	}
	after, err := sharedParts(r.template)
	if err != nil {
		return err
	}
	var names []string
	for id, one := range after {
		if !reflect.DeepEqual(one, before[id]) {
			names = append(names, fmt.Sprintf("%s (%v)", id, one["Type"]))
		}
	}
	for id, one := range before {
		if after[id] == nil {
			names = append(names, fmt.Sprintf("%s (%v), which goes", id, one["Type"]))
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: changes for v%d too, and at once: %s", r.name, r.current.Version, strings.Join(names, ", "))})
	return nil
}

// sharedParts are the resources of a template that no version has for itself.
func sharedParts(template []byte) (map[string]map[string]any, error) {
	var parts struct{ Resources map[string]map[string]any }
	if err := json.Unmarshal(template, &parts); err != nil {
		return nil, fmt.Errorf("read a template: %w", err)
	}
	for id, one := range parts.Resources {
		switch one["Type"] {
		case "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias":
			delete(parts.Resources, id)
		}
	}
	return parts.Resources, nil
}
