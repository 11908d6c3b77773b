package queue

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Cloud is the kind in a stack: a queue of SQS.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Queue }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error { return (*Store)(nil).Check(options) }

// Render implements resource.Cloud.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	options := in.Resource.Options
	if err := (Cloud{}).Check(options); err != nil {
		return resource.Rendered{}, err
	}
	attributes, err := attributesOf(options, in.Sibling)
	if err != nil {
		return resource.Rendered{}, err
	}
	properties := map[string]any{"QueueName": in.Name}
	for _, name := range []string{visibility, delay, retention, wait} {
		properties[name] = attributes.number(name)
	}
	for _, name := range []string{fifo, content} {
		if attributes[name] == "true" {
			properties[name] = true
		}
	}
	if dead := options[deadOption]; dead != "" {
		id := in.Sibling(dead)
		if id == "" {
			return resource.Rendered{}, aloft.Errorf(aloft.Invalid, "the queue %q has its dead letters in %q, which is not declared", in.Resource.Name, dead).
				WithHint("declare it in the resources section of aloft.yml: %s: queue", dead)
		}
		receives, _ := resource.Number(options, maxReceivesOption, defaultReceives, 1, maxReceives) // checked above
		properties[redrive] = map[string]any{"deadLetterTargetArn": cfn.GetAtt(id, "Arn"), "maxReceiveCount": receives}
	}
	if in.KMSKey != "" {
		properties["KmsMasterKeyId"] = in.KMSKey
	} else {
		properties["SqsManagedSseEnabled"] = true
	}
	arn := cfn.GetAtt(in.ID, "Arn")
	return resource.Rendered{
		Resources: map[string]cfn.Resource{
			in.ID: in.Store("AWS::SQS::Queue", properties),
			in.ID + "Policy": {Type: "AWS::SQS::QueuePolicy", Properties: map[string]any{
				"Queues": []any{cfn.Ref(in.ID)}, "PolicyDocument": resource.OverTLS("sqs:*", arn),
			}},
		},
		Env: map[string]any{in.Variable(): cfn.Ref(in.ID)},
		ARN: arn,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeSend: {{Action: []string{"sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"}, Resource: arn}},
			aloft.EdgeReceive: {{
				Action:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"},
				Resource: arn,
			}},
		}),
		Single: true,
	}, nil
}
