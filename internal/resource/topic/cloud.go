package topic

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Cloud is the kind in a stack: a topic of SNS.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Topic }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error { return (*Store)(nil).Check(options) }

// Render implements resource.Cloud. A topic keeps nothing: it goes with its stack.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	attributes, err := attributesOf(in.Resource.Options)
	if err != nil {
		return resource.Rendered{}, err
	}
	const serviceKey = "alias/aws/sns"
	properties := map[string]any{"TopicName": in.Name, "KmsMasterKeyId": serviceKey}
	if in.KMSKey != "" {
		properties["KmsMasterKeyId"] = in.KMSKey
	}
	for name := range attributes {
		properties[name] = true
	}
	arn := cfn.Ref(in.ID)
	return resource.Rendered{
		Resources: map[string]cfn.Resource{
			in.ID: {Type: "AWS::SNS::Topic", Properties: properties},
			in.ID + "Policy": {Type: "AWS::SNS::TopicPolicy", Properties: map[string]any{
				"Topics": []any{arn}, "PolicyDocument": resource.OverTLS("sns:Publish", arn),
			}},
		},
		Env: map[string]any{in.Variable(): arn},
		ARN: arn,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeSend: {{Action: []string{"sns:Publish", "sns:GetTopicAttributes"}, Resource: arn}},
		}),
	}, nil
}
