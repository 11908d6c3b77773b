// Package cache is the kind of resources that hold values which may go away: Valkey as ElastiCache has it without servers, for
// clients of Redis. It is a kind of stacks only.
package cache

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

const storageOption = "storage" // GB at most; what it holds and does is paid for

const defaultStorage, mostStorage = 1, 5000

const (
	port     = 6379
	readers  = 6380 // of replicas, which ElastiCache without servers has at the next port
	maxName  = 40
	mostNets = 3 // subnets
)

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Cache }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	if err := resource.Options(aloft.Cache, options, storageOption, resource.VariableOption); err != nil {
		return err
	}
	if _, err := resource.Number(options, storageOption, defaultStorage, 1, mostStorage); err != nil {
		return err
	}
	return resource.CheckVariable(options)
}

// Render implements resource.Cloud. A cache goes with its stack: what it holds may go away at any time. Who is in the private
// network, in a security group of the functions, may use it; no statement of IAM says more.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	storage, err := resource.Number(in.Resource.Options, storageOption, defaultStorage, 1, mostStorage)
	if err != nil {
		return resource.Rendered{}, err
	}
	in.Delete = true // with its security group
	private, err := in.Private(port, readers)
	if err != nil {
		return resource.Rendered{}, err
	}
	properties := map[string]any{
		"ServerlessCacheName": cfn.Shorten(in.Name, maxName), "Engine": "valkey", "MajorEngineVersion": "8",
		"CacheUsageLimits": map[string]any{"DataStorage": map[string]any{"Maximum": storage, "Unit": "GB"}},
		"SecurityGroupIds": []any{private.Group}, "SubnetIds": private.Subnets[:min(mostNets, len(private.Subnets))],
	}
	if in.KMSKey != "" {
		properties["KmsKeyId"] = in.KMSKey
	}
	return resource.Rendered{
		Resources: resource.With(private.Resources, map[string]cfn.Resource{in.ID: in.Store("AWS::ElastiCache::ServerlessCache", properties)}),
		Env:       map[string]any{in.Variable(): cfn.Sub("rediss://${" + in.ID + ".Endpoint.Address}:${" + in.ID + ".Endpoint.Port}")},
		ARN:       cfn.GetAtt(in.ID, "ARN"),
		Access:    map[string][]cfn.Statement{"": nil},
		Single:    true,
	}, nil
}
