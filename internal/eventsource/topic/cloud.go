package topic

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
)

var _ eventsource.Cloud = (*source)(nil)

// Render implements eventsource.Cloud: a subscription.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	arn, origin := in.Target(s.uri)
	if strings.HasSuffix(origin, ".fifo") || strings.HasSuffix(s.uri.ARN, ".fifo") {
		return eventsource.Rendered{}, s.uri.Fault("a FIFO topic of SNS invokes no functions").
			WithHint("subscribe a FIFO queue to it, and have queue:NAME as the event source")
	}
	properties := map[string]any{"TopicArn": arn, "Protocol": "lambda", "Endpoint": in.Alias}
	if s.filter.Policy != "" {
		var policy any
		if err := json.Unmarshal([]byte(s.filter.Policy), &policy); err != nil {
			return eventsource.Rendered{}, fmt.Errorf("read the filter of %s: %w", s.uri.Bare(), err)
		}
		properties["FilterPolicy"], properties["FilterPolicyScope"] = policy, "MessageAttributes"
		if s.filter.Body {
			properties["FilterPolicyScope"] = "MessageBody"
		}
	}
	permission := in.ID + "Permission"
	return eventsource.Rendered{
		Resources: map[string]cfn.Resource{
			permission: in.Permit("sns.amazonaws.com", arn),
			in.ID:      {Type: "AWS::SNS::Subscription", DependsOn: []string{permission}, Properties: properties},
		},
		Origin: origin,
	}, nil
}
