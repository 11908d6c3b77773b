// Package search is the kind of resources that find documents by their words: a domain of OpenSearch. It is a kind of stacks
// only.
package search

import (
	"cmp"
	"regexp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// The options of a search domain.
const (
	instanceOption = "instance" // class of its one node
	storageOption  = "storage"  // GB
	versionOption  = "version"
)

const (
	defaultInstance = "t3.small.search" // the smallest there is
	defaultVersion  = "OpenSearch_2.19"

	defaultStorage, leastStorage, mostStorage = 10, 10, 1000

	port    = 443
	maxName = 28
)

var (
	instanceName = regexp.MustCompile(`^[a-z0-9]+\.[a-z0-9]+\.search$`)
	versionName  = regexp.MustCompile(`^OpenSearch_[0-9]+\.[0-9]+$`)
)

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Search }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	if err := resource.Options(aloft.Search, options, instanceOption, storageOption, versionOption, resource.VariableOption); err != nil {
		return err
	}
	if text := options[instanceOption]; text != "" && !instanceName.MatchString(text) {
		return aloft.Errorf(aloft.Invalid, "instance is %q; expected a class such as %s", text, defaultInstance)
	}
	if text := options[versionOption]; text != "" && !versionName.MatchString(text) {
		return aloft.Errorf(aloft.Invalid, "version is %q; expected one such as %s", text, defaultVersion)
	}
	if _, err := resource.Number(options, storageOption, defaultStorage, leastStorage, mostStorage); err != nil {
		return err
	}
	return resource.CheckVariable(options)
}

// Render implements resource.Cloud. The domain trusts the account, whose roles have what their edges say; nobody else, and no
// unsigned request, gets in.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	options := in.Resource.Options
	if err := (Cloud{}).Check(options); err != nil {
		return resource.Rendered{}, err
	}
	storage, err := resource.Number(options, storageOption, defaultStorage, leastStorage, mostStorage)
	if err != nil {
		return resource.Rendered{}, err
	}
	name := cfn.Shorten(in.Name, maxName)
	const prefix = "arn:${AWS::Partition}:es:${AWS::Region}:${AWS::AccountId}:domain/"
	encryption := map[string]any{"Enabled": true}
	if in.KMSKey != "" {
		encryption["KmsKeyId"] = in.KMSKey
	}
	properties := map[string]any{
		"DomainName": name, "EngineVersion": cmp.Or(options[versionOption], defaultVersion),
		"ClusterConfig":               map[string]any{"InstanceType": cmp.Or(options[instanceOption], defaultInstance), "InstanceCount": 1},
		"EBSOptions":                  map[string]any{"EBSEnabled": true, "VolumeType": "gp3", "VolumeSize": storage},
		"EncryptionAtRestOptions":     encryption,
		"NodeToNodeEncryptionOptions": map[string]any{"Enabled": true},
		"DomainEndpointOptions":       map[string]any{"EnforceHTTPS": true, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
		"AccessPolicies": map[string]any{"Version": cfn.PolicyVersion, "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": cfn.Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
			"Action": "es:ESHttp*", "Resource": cfn.Sub(prefix + name + "/*"),
		}}},
	}
	resources := map[string]cfn.Resource{}
	if in.VPC != nil {
		private, err := in.Private(port, port)
		if err != nil {
			return resource.Rendered{}, err
		}
		resources = private.Resources
		properties["VPCOptions"] = map[string]any{"SubnetIds": private.Subnets[:1], "SecurityGroupIds": []any{private.Group}}
	}
	domain := in.Store("AWS::OpenSearchService::Domain", properties)
	domain.UpdatePolicy = map[string]any{"EnableVersionUpgrade": true} // else another version is another domain, of the same name
	resources[in.ID] = domain
	return resource.Rendered{
		Resources: resources,
		Env:       map[string]any{in.Variable(): cfn.Sub("https://${" + in.ID + ".DomainEndpoint}")},
		ARN:       cfn.GetAtt(in.ID, "Arn"),
		Access:    access(in, prefix+name),
		Single:    true,
	}, nil
}

// access are the edges: to read is to get, and to post a search; to write is everything else that is done to indexes.
func access(in resource.Rendering, arn string) map[string][]cfn.Statement {
	in.KMSKey = "" // the domain uses the key, not who asks it
	all := cfn.Sub(arn + "/*")
	var posts []any
	for _, path := range []string{"_search", "*/_search", "_msearch", "*/_msearch", "*/_count", "*/_mget"} {
		posts = append(posts, cfn.Sub(arn+"/"+path))
	}
	return in.Access(map[string][]cfn.Statement{
		aloft.EdgeRead: {
			{Action: []string{"es:ESHttpGet", "es:ESHttpHead"}, Resource: all},
			{Action: []string{"es:ESHttpPost"}, Resource: posts},
		},
		aloft.EdgeWrite: {{Action: []string{"es:ESHttpPut", "es:ESHttpPost", "es:ESHttpPatch", "es:ESHttpDelete"}, Resource: all}},
	})
}
