package bucket

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Cloud is the kind in a stack: a bucket of S3.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Bucket }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error { return (*Store)(nil).Check(options) }

// CloudName is the name of a bucket in a stack, in which CloudFormation puts account and region: the whole world shares the
// names of buckets, and a stage in two regions has two.
func CloudName(name string) string {
	const most = maxName - len("-123456789012-ap-southeast-1")
	return cfn.Shorten(name, most) + "-${AWS::AccountId}-${AWS::Region}"
}

// maxName is S3's bound.
const maxName = 63

// Render implements resource.Cloud. Names and ARNs are text, not references: the bucket waits for the functions that it
// notifies, and they must not wait for the bucket.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	name := CloudName(in.Name)
	arn, objects := cfn.Sub("arn:${AWS::Partition}:s3:::"+name), cfn.Sub("arn:${AWS::Partition}:s3:::"+name+"/*")
	encryption := map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}}
	if in.KMSKey != "" {
		encryption = map[string]any{
			"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": in.KMSKey}, "BucketKeyEnabled": true,
		}
	}
	return resource.Rendered{
		Resources: map[string]cfn.Resource{
			in.ID: in.Store("AWS::S3::Bucket", map[string]any{
				"BucketName":       cfn.Sub(name),
				"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": []any{encryption}},
				"PublicAccessBlockConfiguration": map[string]any{
					"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
				},
				"OwnershipControls": map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
				"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{
					"Id": "unfinished-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 7},
				}}},
			}),
			in.ID + "Policy": {Type: "AWS::S3::BucketPolicy", Properties: map[string]any{
				"Bucket": cfn.Ref(in.ID), "PolicyDocument": resource.OverTLS("s3:*", arn, objects),
			}},
		},
		Env: map[string]any{in.Variable(): cfn.Sub(name)},
		ARN: arn, Name: name,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeRead: {
				{Action: []string{"s3:GetObject", "s3:GetObjectAttributes"}, Resource: objects},
				{Action: []string{"s3:ListBucket", "s3:GetBucketLocation"}, Resource: arn},
			},
			aloft.EdgeWrite: {
				{Action: []string{"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}, Resource: objects},
				{Action: []string{"s3:ListBucketMultipartUploads", "s3:GetBucketLocation"}, Resource: arn},
			},
		}),
		Single: true,
	}, nil
}
