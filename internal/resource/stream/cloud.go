package stream

import (
	"cmp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Cloud is the kind in a stack: a stream of Kinesis.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Stream }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error { return (*Store)(nil).Check(options) }

// Render implements resource.Cloud.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	shards, err := resource.Number(in.Resource.Options, shardsOption, 1, 1, maxShards)
	if err != nil {
		return resource.Rendered{}, err
	}
	kept, err := hours(in.Resource.Options)
	if err != nil {
		return resource.Rendered{}, err
	}
	arn := cfn.GetAtt(in.ID, "Arn")
	const serviceKey = "alias/aws/kinesis"
	shape := []string{"kinesis:DescribeStreamSummary", "kinesis:DescribeStream", "kinesis:ListShards"}
	return resource.Rendered{
		Resources: map[string]cfn.Resource{in.ID: in.Store("AWS::Kinesis::Stream", map[string]any{
			"Name": in.Name, "ShardCount": shards, "RetentionPeriodHours": kept,
			"StreamEncryption": map[string]any{"EncryptionType": "KMS", "KeyId": cmp.Or(in.KMSKey, serviceKey)},
		})},
		Env: map[string]any{in.Variable(): cfn.Ref(in.ID)},
		ARN: arn,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeRead:  {{Action: append([]string{"kinesis:GetRecords", "kinesis:GetShardIterator"}, shape...), Resource: arn}},
			aloft.EdgeWrite: {{Action: append([]string{"kinesis:PutRecord", "kinesis:PutRecords"}, shape...), Resource: arn}},
		}),
		Single: true,
	}, nil
}
