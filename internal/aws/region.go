package aws

import (
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// region is one region's clients. The one of tags stays at v1.35: newer ones speak CBOR with this service, which MiniStack 1.5.33
// does not.
type region struct {
	*Platform

	name    string
	stacks  *cloudformation.Client
	lambda  *lambda.Client
	logs    *cloudwatchlogs.Client
	metrics *cloudwatch.Client
	secrets *secretsmanager.Client
	tagged  *resourcegroupstaggingapi.Client
	certs   *acm.Client
	roles   *iam.Client // not of the region, but of its partition
	objects Objects
}

// in returns a region's clients, the same for each call.
func (p *Platform) in(name string) *region {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.regions[name]; r != nil {
		return r
	}
	cfg := p.config(name)
	r := &region{
		Platform: p, name: name, stacks: cloudformation.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg),
		logs: cloudwatchlogs.NewFromConfig(cfg), metrics: cloudwatch.NewFromConfig(cfg), secrets: secretsmanager.NewFromConfig(cfg),
		tagged: resourcegroupstaggingapi.NewFromConfig(cfg), certs: acm.NewFromConfig(cfg), roles: iam.NewFromConfig(cfg), objects: p.Objects(name),
	}
	p.regions[name] = r
	return r
}

// Bucket is the name of the account's bucket in a region.
func (s *Session) Bucket(region string) string { return "aloft-" + s.Account + "-" + region }
