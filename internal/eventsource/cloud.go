package eventsource

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/aloft-run/aloft/internal/cfn"
)

// Cloud is a Source that a CloudFormation stack can have.
type Cloud interface {
	Source
	// Render returns what leads its events to a function in a stack. It returns Invalid for what AWS does not have.
	Render(in Rendering) (Rendered, error)
}

// Rendering is what a source renders for.
type Rendering struct {
	ID       string        // prefix of its logical ids, unique in the stack: "WebQueueJobs"
	Alias    any           // ARN of the function's alias
	AliasID  string        // logical id of the alias, for DependsOn
	Function string        // physical name of the function
	Web      bool          // a web function: the shim turns events into requests
	Timeout  time.Duration // of an invocation; 0 if it is not known
	KMSKey   string        // ARN of the key that the app's own stores are encrypted with; "" is none that a role needs

	// ARN is that of a declared resource of a kind, or of a name that no release declares: what text names it; "" if nothing does.
	ARN func(kind, name string) any
	// ID of the logical resource that is declared under a name; "" if none is.
	Declared func(kind, name string) string
	// Physical is the name in the account of what is declared under a name, as text for Fn::Sub. It may be nil.
	Physical func(kind, name string) string
}

// Rendered is a source in a stack.
type Rendered struct {
	Resources  map[string]cfn.Resource
	Statements []cfn.Statement // that the function's role needs, such as to receive from the queue

	// Patches are properties that resources of others get, by logical id: a bucket's notifications. See Patch.
	Patches map[string]map[string]any
	// After are resources, by logical id, and what must be there before them, beside what they refer to.
	After map[string][]string

	// Origin is what events say of where they come from: a name in the account, as text for Fn::Sub. A web function's shim, which
	// posts them below the source's own name, learns from it which that is. "" says that events say nothing known.
	Origin string
}

// Live is the alias of functions in stacks, where events go. A stack refers to it; what must not wait for the function has it as
// text.
const Live = "live"

// Patch adds what sources want of a resource's properties: lists are appended, maps merged, and of two numbers the greater stays.
func Patch(properties, patch map[string]any) {
	for name, want := range patch {
		switch want := want.(type) {
		case []any:
			has, _ := properties[name].([]any)
			properties[name] = append(has, want...)
		case map[string]any:
			has, ok := properties[name].(map[string]any)
			if !ok {
				has = map[string]any{}
			}
			has = maps.Clone(has)
			Patch(has, want)
			properties[name] = has
		case int:
			has, _ := properties[name].(int)
			properties[name] = max(has, want)
		default:
			properties[name] = want
		}
	}
}

// Target is what text says of the resource that a URI names: its ARN, and its name in the account as text for Fn::Sub.
func (in Rendering) Target(u URI) (arn any, origin string) {
	switch {
	case u.ARN != "":
		return u.ARN, u.Label()
	case in.Physical != nil:
		return in.ARN(u.Kind, u.Name), in.Physical(u.Kind, u.Name)
	}
	return in.ARN(u.Kind, u.Name), ""
}

// Poll is an event source mapping: Lambda itself asks a resource for events, with the function's role, which needs the actions.
// Answers may name the items of a batch that failed, as on this machine.
func (in Rendering) Poll(u URI, arn any, properties map[string]any, actions ...string) Rendered {
	all := map[string]any{
		"EventSourceArn": arn, "FunctionName": in.Alias, "Enabled": true, "FunctionResponseTypes": []string{"ReportBatchItemFailures"},
	}
	maps.Copy(all, properties)
	if filters := filtersOf(u.Options["filter"]); len(filters) > 0 {
		all["FilterCriteria"] = map[string]any{"Filters": filters}
	}
	statements := []cfn.Statement{{Action: actions, Resource: arn}}
	if in.KMSKey != "" && u.ARN == "" {
		statements = append(statements, cfn.Statement{Action: []string{"kms:Decrypt"}, Resource: in.KMSKey})
	}
	return Rendered{
		Resources:  map[string]cfn.Resource{in.ID: {Type: "AWS::Lambda::EventSourceMapping", Properties: all}},
		Statements: statements,
	}
}

// filtersOf are the patterns of a filter, which was read before: one, or a list of them.
func filtersOf(text string) []any {
	var patterns []json.RawMessage
	if json.Unmarshal([]byte(text), &patterns) != nil {
		patterns = []json.RawMessage{json.RawMessage(text)}
	}
	var filters []any
	for _, p := range patterns {
		if len(p) > 0 {
			filters = append(filters, map[string]any{"Pattern": string(p)})
		}
	}
	return filters
}

// Permit lets a service of AWS invoke the function for a resource of this account.
func (in Rendering) Permit(service string, arn any) cfn.Resource {
	return cfn.Resource{Type: "AWS::Lambda::Permission", Properties: map[string]any{
		"FunctionName": in.Alias, "Action": "lambda:InvokeFunction", "Principal": service, "SourceArn": arn,
	}}
}
