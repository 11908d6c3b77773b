package aws

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
)

// examine asks the new versions of web functions, before anybody else does, for the path of their health check, "/" without one.
func (r *regional) examine(ctx context.Context) error {
	for _, f := range r.release.Tuned() {
		version := r.moves[f.Name]
		if f.Kind != aloft.Web || version == "" || version == r.serving[f.Name] {
			continue
		}
		if r.executed { // else publish waited for it
			if err := r.settle(ctx, r.out.Functions[f.Name].Lambda, version); err != nil {
				return err
			}
		}
		if err := r.askVersion(ctx, f, version); err != nil {
			return err
		}
	}
	return nil
}

// probeEvent is a request as API Gateway would send it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 2.0)
func probeEvent(path string) ([]byte, error) {
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "isBase64Encoded": false,
		"headers": map[string]string{"host": "aloft-probe.invalid", "user-agent": "aloft-probe"},
		"requestContext": map[string]any{
			"stage": "$default", "routeKey": "$default", "requestId": "aloft-probe", "domainName": "aloft-probe.invalid", "timeEpoch": time.Now().UnixMilli(),
			"http": map[string]string{"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "aloft-probe"},
		},
	})
	return event, failed(err, "make a request")
}

// askVersion asks a function's version. What the app answers is its own business, unless the release is tried or has a health check.
func (r *regional) askVersion(ctx context.Context, f aloft.Function, version string) error {
	path := cmp.Or(f.HealthPath, "/")
	event, err := probeEvent(path)
	if err != nil {
		return err
	}
	function := r.out.Functions[f.Name].Lambda
	out, err := r.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Qualifier: &version, Payload: event, LogType: lambdatypes.LogTypeTail})
	if is(err, "TooManyRequestsException") {
		r.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: version %s of %s was not asked before it serves: Lambda lets it not run now", r.name, version, function)})
		return nil
	}
	if err != nil {
		return r.Session.explain(err, "ask the version "+version+" of "+function+" in "+r.name)
	}
	where := fmt.Sprintf("%s, version %s, ", function, version)
	if out.FunctionError != nil {
		message, rest, _ := strings.Cut(errorMessage(out.Payload), "\n")
		return r.unready(where+fmt.Sprintf("fails at GET %s: %s", path, firstLine(message)), rest)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	// What streams has its body behind the JSON.
	if err := json.NewDecoder(bytes.NewReader(out.Payload)).Decode(&answer); err != nil {
		return nil //nolint:nilerr // not for us to judge
	}
	said, _ := base64.StdEncoding.DecodeString(sdk.ToString(out.LogResult)) // without it less is known
	if message, rest := refusal(answer.StatusCode, answer.Body, string(said)); message != "" {
		return r.unready(where+fmt.Sprintf("does not answer GET %s: %s", path, firstLine(message)), rest)
	}
	if answer.StatusCode >= serverErrors && (r.canary != nil || f.HealthPath != "") {
		return r.unready(where+fmt.Sprintf("answers GET %s with %d", path, answer.StatusCode), r.errorLines(ctx))
	}
	return nil
}

var (
	// shimPage is the page of the shim for a request that the server did not answer.
	shimPage = regexp.MustCompile(`^50[24] [A-Z][^\n]*\n[^\n]*\nrequest \S+\n$`)
	// shimSays is its line in the log about it, with the server's last lines.
	shimSays = regexp.MustCompile(`(?s) is answered 50[24]: (.*?)(?:\n(?:\{"type":|END RequestId|REPORT RequestId)|$)`)
)

// refusal is why a server did not answer, by the shim's page and the log; "" if it did, or only takes its time. Rest are the
// server's last lines.
func refusal(status int, body, log string) (message, rest string) {
	if !shimPage.MatchString(body) {
		return "", ""
	}
	message = "the server does not answer"
	if said := shimSays.FindStringSubmatch(log); said != nil {
		message, rest, _ = strings.Cut(strings.TrimSpace(said[1]), "\n")
	}
	if status == http.StatusGatewayTimeout && !strings.Contains(message, "not ready") {
		return "", ""
	}
	return message, rest
}

// errorMessage is that of the error that a function ended with.
func errorMessage(payload []byte) string {
	var e struct{ ErrorMessage string }
	if json.Unmarshal(payload, &e) == nil && e.ErrorMessage != "" {
		return e.ErrorMessage
	}
	return string(payload)
}

// unready is the error of a release that gets no requests. Lines are what it printed last.
func (r *regional) unready(why, lines string) error {
	const most = 10
	all := strings.Split(strings.TrimSpace(lines), "\n")
	for i := range all {
		all[i] = firstLine(all[i])
	}
	e := aloft.Errorf(aloft.Failed, "%s: v%d is not ready: %s", r.name, r.release.Version, why).WithDetail(strings.Join(all[max(0, len(all)-most):], "\n"))
	if r.current.Version == 0 {
		return e.WithHint("nothing served before, so the stack stays as it is; mend what failed, then type the same command again")
	}
	return e.WithHint("v%d serves all requests; mend what failed, then type the same command again", r.current.Version)
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
