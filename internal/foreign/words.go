package foreign

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// choose says of each resource whether it goes, as aloft makes its own or has a word for it. What it does not name stays.
func (p *placing) choose() {
	for i, f := range p.app.Functions {
		p.app.Functions[i].routes, p.app.Functions[i].events, p.app.Functions[i].address = nil, nil, nil
		p.goes[f.Logical], p.owner[f.Logical] = "the function "+f.As+" takes its place", f.As
	}
	for _, id := range p.sorted() {
		if one := p.Template.Resources[id]; p.ownerOf(one) != "" && (one.Type == "AWS::Lambda::Version" || one.Type == "AWS::Lambda::Alias") {
			p.owner[id], p.goes[id] = p.ownerOf(one), "aloft makes its own"
		}
	}
	for _, id := range p.sorted() {
		p.chooseOne(id)
	}
	p.chooseAPI()
	for _, id := range p.sorted() { // at last, as it depends on what else goes
		if one := p.Template.Resources[id]; one.Type == "AWS::Lambda::Permission" && p.ownerOf(one) != "" && p.spare(one) {
			p.goes[id] = "aloft makes its own"
		}
	}
}

func (p *placing) sorted() []string { return slices.Sorted(maps.Keys(p.Template.Resources)) }

// ownerOf is the function of the app that a resource leads to; "" if it leads to none, or to several.
func (p *placing) ownerOf(one cfn.Resource) string {
	found := ""
	for _, id := range cfn.References(one.Properties) {
		owner := p.owner[id]
		if owner != "" && found != "" && owner != found {
			return ""
		}
		if owner != "" {
			found = owner
		}
	}
	return found
}

func (p *placing) chooseOne(id string) {
	one := p.Template.Resources[id]
	owner := p.ownerOf(one)
	if owner == "" {
		return
	}
	f := p.function(owner)
	switch one.Type {
	case "AWS::Lambda::Url":
		f.address = &aloft.FunctionURL{IAM: one.Properties["AuthType"] == "AWS_IAM", Stream: one.Properties["InvokeMode"] == "RESPONSE_STREAM"}
		p.goes[id] = "url of " + owner
		p.note("the function URL of %s ends with the update, and %s gets another: an address belongs to one function", f.Logical, owner)
		if one.Properties["Cors"] != nil {
			p.note("CORS of the function URL of %s is not taken over", f.Logical)
		}
	case "AWS::Lambda::EventInvokeConfig":
		p.goes[id] = "aloft has its own: async in aloft.yml"
		p.note("what becomes of asynchronous events that %s fails at is aloft's default, not what %s said", owner, id)
	case "AWS::Logs::LogGroup":
		p.goes[id], p.owner[id] = "aloft makes its own; what is in it goes, unless its DeletionPolicy says otherwise", owner
	case "AWS::Lambda::EventSourceMapping":
		if event := p.queueEvent(one); event != "" {
			f.events = append(f.events, event)
			p.goes[id], p.went[id] = "an event source of "+owner, event
		}
	case "AWS::Events::Rule":
		if event := scheduleEvent(one); event != "" {
			f.events = append(f.events, event)
			p.goes[id] = "an event source of " + owner
		}
	case "AWS::SNS::Subscription":
		if arn := p.arn(one.Properties["TopicArn"]); arn != "" && only(one.Properties, "TopicArn", "Protocol", "Endpoint") {
			f.events = append(f.events, arn)
			p.goes[id] = "an event source of " + owner
		}
	}
}

func (p *placing) function(as string) *Named {
	for i := range p.app.Functions {
		if p.app.Functions[i].As == as {
			return &p.app.Functions[i]
		}
	}
	return nil
}

// queueEvent is a mapping of a queue in aloft's words; "" if it says what they cannot.
func (p *placing) queueEvent(one cfn.Resource) string {
	arn := p.arn(one.Properties["EventSourceArn"])
	if !strings.Contains(arn, ":sqs:") || one.Properties["Enabled"] == false || !only(one.Properties,
		"FunctionName", "EventSourceArn", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "Tags") {
		return ""
	}
	options := []string{"batch=" + orText(one.Properties["BatchSize"], "10")}
	if window := orText(one.Properties["MaximumBatchingWindowInSeconds"], "0"); window != "0" {
		options = append(options, "window="+window+"s")
	}
	return arn + "?" + strings.Join(options, "&")
}

// orText is a number of a template as text.
func orText(value any, other string) string {
	switch v := value.(type) {
	case nil:
		return other
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(value)
}

// scheduleEvent is a rule in aloft's words; "" if it says what they cannot.
func scheduleEvent(one cfn.Resource) string {
	expression, _ := one.Properties["ScheduleExpression"].(string)
	targets, _ := one.Properties["Targets"].([]any)
	state := orText(one.Properties["State"], "ENABLED")
	if expression == "" || len(targets) != 1 || state != "ENABLED" || !only(one.Properties, "ScheduleExpression", "Targets", "State", "Name", "Description") {
		return ""
	}
	if target, _ := targets[0].(map[string]any); !only(target, "Arn", "Id") {
		return ""
	}
	return "schedule:" + expression
}

// only reports whether an object has no other keys.
func only(object map[string]any, keys ...string) bool {
	for key := range object {
		if !slices.Contains(keys, key) {
			return false
		}
	}
	return true
}

// arn is the ARN that a value is; "" if that is not known.
func (p *placing) arn(value any) string {
	if text, is := value.(string); is && strings.HasPrefix(text, "arn:") {
		return text
	}
	object, _ := value.(map[string]any)
	id, attribute, _ := cfn.Referred(object)
	one := p.Physical[id]
	switch {
	case strings.HasPrefix(one.ID, "arn:"):
		return one.ID
	case one.Type == "AWS::SQS::Queue" && attribute == "Arn": // its id is its URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME
		parts := strings.Split(one.ID, "/")
		if role := strings.Split(p.app.Functions[0].Role, ":"); len(parts) > 2 && len(role) > 1 {
			return strings.Join([]string{"arn", role[1], "sqs", p.Region, parts[len(parts)-2], parts[len(parts)-1]}, ":")
		}
	}
	return ""
}

// spare reports whether a permission is for what aloft makes one of its own for: an address, an API, a schedule, a topic.
func (p *placing) spare(one cfn.Resource) bool {
	if one.Properties["FunctionUrlAuthType"] != nil || one.Properties["InvokedViaFunctionUrl"] != nil {
		return true
	}
	for _, id := range cfn.References(one.Properties["SourceArn"]) {
		if p.goes[id] != "" || p.subscribed(id) {
			return true
		}
	}
	return false
}

// subscribed reports whether a topic is an event source of a function of the app.
func (p *placing) subscribed(id string) bool {
	for _, f := range p.app.Functions {
		if arn := p.Physical[id].ID; arn != "" && slices.Contains(f.events, arn) {
			return true
		}
	}
	return false
}
