package stack

import (
	"maps"
	"slices"
)

// The tags of all that aloft makes.
const (
	TagApp   = "aloft:app"
	TagStage = "aloft:stage"
)

// tagLists are the types whose tags are a list of keys and values; tagMaps those whose tags are an object. What has no tags, or
// has those of what it belongs to, is in neither.
func tagLists() []string {
	return []string{
		"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::CertificateManager::Certificate", "AWS::CloudWatch::Alarm",
		"AWS::DynamoDB::Table", "AWS::EC2::SecurityGroup", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
		"AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::SubnetGroup", "AWS::Events::Rule", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Kinesis::Stream",
		"AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::OpenSearchService::Domain",
		"AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue",
		"AWS::Scheduler::ScheduleGroup", "AWS::SecretsManager::Secret", "AWS::SES::ConfigurationSet", "AWS::SES::EmailIdentity", "AWS::WAFv2::WebACL",
	}
}

func tagMaps() []string {
	return []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Stage", "AWS::SSM::Parameter"}
}

// addTags tags everything. Tags that a resource has by itself win.
func (s *render) addTags() {
	tags := maps.Clone(s.aws.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[TagApp], tags[TagStage] = s.in.Release.App, s.in.Release.Stage
	lists, objects := tagLists(), tagMaps()
	for id, r := range s.template.Resources {
		switch {
		case r.Type == "AWS::Route53::HealthCheck":
			r.Properties["HealthCheckTags"] = tagList(nil, tags)
		case slices.Contains(lists, r.Type):
			if r.Properties == nil {
				r.Properties = map[string]any{}
			}
			own, _ := r.Properties["Tags"].([]any)
			r.Properties["Tags"] = tagList(own, tags)
		case slices.Contains(objects, r.Type):
			all := maps.Clone(tags)
			if own, ok := r.Properties["Tags"].(map[string]string); ok {
				maps.Copy(all, own)
			}
			r.Properties["Tags"] = all
		}
		s.template.Resources[id] = r
	}
}

func tagList(own []any, tags map[string]string) []any {
	all := slices.Clone(own)
	has := map[any]bool{}
	for _, one := range own {
		if tag, ok := one.(map[string]any); ok {
			has[tag["Key"]] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if !has[key] {
			all = append(all, map[string]any{"Key": key, "Value": tags[key]})
		}
	}
	return all
}
