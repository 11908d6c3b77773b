package bucket

import (
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
)

var _ eventsource.Cloud = (*source)(nil)

// Render implements eventsource.Cloud: notifications of the bucket, which is the stack's own. S3 asks whether it may invoke the
// function when it is told of it, so that the bucket waits for the permission; the function must not wait for the bucket then,
// and both are named by text.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	id := in.Declared(s.uri.Kind, s.uri.Name)
	if s.uri.ARN != "" || id == "" {
		return eventsource.Rendered{}, s.uri.Fault("a bucket of somebody else's cannot be told to notify a function").
			WithHint("declare the bucket in the resources section of aloft.yml, or have its owner send the events to a queue or topic and name the ARN of that")
	}
	arn, origin := in.Target(s.uri)
	var rules []any
	for _, rule := range []struct{ name, value string }{{"prefix", s.prefix}, {"suffix", s.suffix}} {
		if rule.value != "" {
			rules = append(rules, map[string]any{"Name": rule.name, "Value": rule.value})
		}
	}
	var notify []any
	for _, event := range s.events {
		one := map[string]any{
			"Event":    "s3:" + event,
			"Function": cfn.Sub("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + in.Function + ":" + eventsource.Live),
		}
		if len(rules) > 0 {
			one["Filter"] = map[string]any{"S3Key": map[string]any{"Rules": rules}}
		}
		notify = append(notify, one)
	}
	permission := in.Permit("s3.amazonaws.com", arn)
	permission.Properties["SourceAccount"] = cfn.Ref(cfn.Account)
	return eventsource.Rendered{
		Resources: map[string]cfn.Resource{in.ID + "Permission": permission},
		Patches:   map[string]map[string]any{id: {"NotificationConfiguration": map[string]any{"LambdaConfigurations": notify}}},
		After:     map[string][]string{id: {in.ID + "Permission"}},
		Origin:    origin,
	}, nil
}
