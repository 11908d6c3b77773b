package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// gateway is API Gateway as IAM names it.
const gateway = "apigateway.amazonaws.com"

// permission is one statement of a function's policy, as the template has it.
type permission struct {
	id        string // logical
	function  string // by our name
	action    string
	principal string
	sourced   bool // only for requests that come through the stack's gateway
	via       bool // only for requests to the function's URL
	urlAuth   string
}

// policy is a function's own, as Lambda tells it.
type policy struct {
	Statement []struct {
		Sid       string
		Action    string
		Principal any
		Condition map[string]map[string]any
	}
}

// mend compares who may ask the functions, and what they may do, with what the template says, and adds what is missing.
func (r *regional) mend(ctx context.Context) bool {
	mended := false
	for _, step := range []func(context.Context) (bool, error){r.mendPolicies, r.mendRoles} {
		did, err := step(ctx)
		mended = mended || did
		if err != nil && ctx.Err() == nil {
			r.report.Report(aloft.Warning{Text: withHint(err)})
		}
	}
	return mended
}

// withHint is an error and what to do about it, for a warning.
func withHint(err error) string {
	if e, ours := errors.AsType[*aloft.Error](err); ours && e.Hint != "" {
		return err.Error() + "; " + e.Hint
	}
	return err.Error()
}

// mendPolicies is mend for who may ask the functions.
func (r *regional) mendPolicies(ctx context.Context) (bool, error) {
	mended, source := false, ""
	for _, p := range r.permissions() {
		function := r.out.Functions[p.function].Lambda
		has, err := r.policy(ctx, function)
		if err != nil {
			return mended, err
		}
		if p.sourced && source == "" {
			if source, err = r.gatewayARN(ctx); err != nil {
				return mended, err
			}
		}
		if has.allows(p, source) {
			continue
		}
		r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: %s lacks the permission %s: %s for %s; adding it", r.name, function, p.id, p.action, p.principal)})
		if err := r.allow(ctx, function, p, source); err != nil {
			return mended, err
		}
		mended = true
	}
	return mended, nil
}

// permissions are the template's AWS::Lambda::Permission of the aliases.
func (r *regional) permissions() []permission {
	aliases := map[string]string{}
	for name, names := range r.out.Functions {
		aliases[names.Alias] = name
		aliases[names.Function] = name
	}
	var all []permission
	for _, id := range slices.Sorted(maps.Keys(r.out.Template.Resources)) {
		resource := r.out.Template.Resources[id]
		if resource.Type != "AWS::Lambda::Permission" {
			continue
		}
		text, _ := json.Marshal(resource.Properties) // of strings and maps
		var properties struct {
			Action                  string
			Auth                    string `json:"FunctionUrlAuthType"`
			Via                     any    `json:"InvokedViaFunctionUrl"`
			Principal, FunctionName any
			SourceArn               any
		}
		if json.Unmarshal(text, &properties) != nil {
			continue
		}
		p := permission{id: id, function: aliases[referred(properties.FunctionName)], action: properties.Action, urlAuth: properties.Auth}
		p.principal, _ = properties.Principal.(string)
		p.via = properties.Via == true
		p.sourced = properties.SourceArn != nil
		if p.function != "" && (p.principal == "*" || p.principal == gateway) { // those of visitors
			all = append(all, p)
		}
	}
	return all
}

// referred is the logical id that a Ref names.
func referred(value any) string {
	m, _ := value.(map[string]any)
	id, _ := m["Ref"].(string)
	return id
}

func (r *region) policy(ctx context.Context, function string) (policy, error) {
	out, err := r.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &function, Qualifier: sdk.String(stack.Live)})
	if is(err, noResource) {
		return policy{}, nil
	}
	if err != nil {
		return policy{}, r.Session.explain(err, "read who may ask "+function+" in "+r.name)
	}
	var p policy
	err = json.Unmarshal([]byte(sdk.ToString(out.Policy)), &p)
	return p, failed(err, "read who may ask "+function)
}

// allows reports whether a statement of the same action and principal is there: of those with a URL only one with the same
// condition counts, of those with a source only one that is without, or for something of the gateway whose requests source names.
func (p policy) allows(want permission, source string) bool {
	api := strings.TrimSuffix(source, "*")
	for _, s := range p.Statement {
		_, byURL := s.Condition["Bool"]["lambda:InvokedViaFunctionUrl"]
		from := ""
		for _, operator := range []string{"ArnLike", "ArnEquals", "StringLike", "StringEquals"} {
			for key, value := range s.Condition[operator] {
				if text, is := value.(string); is && strings.EqualFold(key, "aws:SourceArn") {
					from = text
				}
			}
		}
		if s.Action == want.action && principalOf(s.Principal) == want.principal && (!want.via || byURL) && (!want.sourced || from == "" || strings.HasPrefix(from, api)) {
			return true
		}
	}
	return false
}

func principalOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case map[string]any:
		for _, key := range []string{"Service", "AWS"} {
			if text, ok := v[key].(string); ok {
				return text
			}
		}
	}
	return ""
}

// allow adds a permission as the template means it. Where it comes from only CloudFormation knows as text, so one
// with a source is made for the stack's gateway as a whole. Nothing is deleted.
func (r *regional) allow(ctx context.Context, function string, p permission, source string) error {
	input := &lambda.AddPermissionInput{
		FunctionName: &function, Qualifier: sdk.String(stack.Live), StatementId: sdk.String("aloft-" + p.id), Action: &p.action, Principal: &p.principal,
	}
	if p.urlAuth != "" {
		input.FunctionUrlAuthType = lambdatypes.FunctionUrlAuthType(p.urlAuth)
	}
	if p.via {
		input.InvokedViaFunctionUrl = sdk.Bool(true)
	}
	if p.sourced {
		input.SourceArn = &source
	}
	_, err := r.lambda.AddPermission(ctx, input)
	if is(err, "ResourceConflictException") {
		return nil // an answer was lost
	}
	return r.Session.explain(err, "allow requests to "+function+" in "+r.name)
}

// gatewayARN is that of all requests to the stack's gateway.
func (r *regional) gatewayARN(ctx context.Context) (string, error) {
	id, err := r.physical(ctx, r.release, stack.API(r.release.AWS.Endpoint))
	if err == nil && id == "" {
		err = aloft.Errorf(aloft.Failed, "the stack %s in %s has no gateway", StackName(r.release), r.name).WithHint("aloft up %s --force makes it again", r.release.Stage)
	}
	return fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/*", partition(r.name), r.name, r.Session.Account, id), err
}

// physical is what AWS calls a resource of a release's stack, by the logical id that aloft gives it; "" if there is none, or id is "".
func (r *region) physical(ctx context.Context, release aloft.Release, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	out, err := r.stacks.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{
		StackName: sdk.String(StackName(release)), LogicalResourceId: sdk.String(release.AWS.IDOf(id)),
	})
	if is(err, "ValidationError") {
		return "", nil
	}
	if err != nil {
		return "", r.Session.explain(err, "look for "+id+" of the stack "+StackName(release)+" in "+r.name)
	}
	return sdk.ToString(out.StackResourceDetail.PhysicalResourceId), nil
}

func partition(region string) string {
	switch {
	case len(region) > 3 && region[:3] == "cn-":
		return "aws-cn"
	case len(region) > 7 && region[:7] == "us-gov-":
		return "aws-us-gov"
	}
	return "aws"
}

// platformLine is a line of Lambda's or the shim's own about each request.
var platformLine = regexp.MustCompile(`^(START|END|REPORT|INIT_START|XRAY|\{"type":)`)

// lastLines are what the web functions printed last, each on a line of its own; "" if that cannot be read.
func (r *regional) lastLines(ctx context.Context) string {
	const (
		lines = 5
		since = 2 * time.Minute
	)
	var all []string
	for _, f := range r.release.Tuned() {
		if f.Kind != aloft.Web {
			continue
		}
		out, err := r.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: sdk.String(logGroup(r.out.Functions[f.Name].Lambda)), StartTime: sdk.Int64(time.Now().Add(-since).UnixMilli()),
		})
		if err != nil {
			continue
		}
		for _, e := range out.Events {
			if line := firstLine(sdk.ToString(e.Message)); !platformLine.MatchString(line) {
				all = append(all, "\n"+f.Name+": "+line)
			}
		}
	}
	return strings.Join(all[max(0, len(all)-lines):], "")
}
