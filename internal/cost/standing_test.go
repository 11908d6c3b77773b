package cost_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cost"
)

func TestStanding(t *testing.T) {
	resource := func(kind string, properties map[string]any) cfn.Resource {
		return cfn.Resource{Type: kind, Properties: properties}
	}
	template := cfn.Template{Resources: map[string]cfn.Resource{
		"Fn": resource("AWS::Lambda::Function", nil), "Bucket": resource("AWS::S3::Bucket", nil), "Queue": resource("AWS::SQS::Queue", nil),
		"Key": resource("AWS::KMS::Key", nil), "Zone": resource("AWS::Route53::HostedZone", nil), "Alarm": resource("AWS::CloudWatch::Alarm", nil),
		"Password": resource("AWS::SecretsManager::Secret", nil), "Token": resource("AWS::SecretsManager::Secret", nil),
		"Events": resource("AWS::Kinesis::Stream", map[string]any{"ShardCount": 2}),
		"Clicks": resource("AWS::Kinesis::Stream", map[string]any{"StreamModeDetails": map[string]any{"StreamMode": "ON_DEMAND"}}),
		"Db":     resource("AWS::RDS::DBCluster", map[string]any{"ServerlessV2ScalingConfiguration": map[string]any{"MinCapacity": 0.5}}),
		"DbNode": resource("AWS::RDS::DBInstance", map[string]any{"DBInstanceClass": "db.serverless"}),
		"Small": resource("AWS::RDS::DBInstance", map[string]any{
			"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "StorageType": "gp3", "AllocatedStorage": "20", "MultiAZ": true,
		}),
		"Cache": resource("AWS::ElastiCache::ServerlessCache", map[string]any{"Engine": "valkey"}),
		"Search": resource("AWS::OpenSearchService::Domain", map[string]any{
			"ClusterConfig": map[string]any{"InstanceType": "t3.small.search", "InstanceCount": 1}, "EBSOptions": map[string]any{"VolumeType": "gp3", "VolumeSize": 10},
		}),
		"Big": resource("AWS::RDS::DBInstance", map[string]any{"DBInstanceClass": "db.r6g.large"}),
		"Alb": resource("AWS::ElasticLoadBalancingV2::LoadBalancer", nil), "Targets": resource("AWS::ElasticLoadBalancingV2::TargetGroup", nil),
		"Nlb": resource("AWS::ElasticLoadBalancingV2::LoadBalancer", map[string]any{"Type": "network"}),
		"Nat": resource("AWS::EC2::NatGateway", nil),
	}}
	check := func(template cfn.Template) {
		t.Helper()
		resources, unpriced := cost.Standing(template)
		if !slices.Equal(unpriced, []string{"Big (AWS::RDS::DBInstance)", "Nat (AWS::EC2::NatGateway)", "Nlb (AWS::ElasticLoadBalancingV2::LoadBalancer)"}) {
			t.Errorf("without a price are %q", unpriced)
		}
		e := estimate(t, cost.Stage{Resources: resources})
		for id, want := range map[cost.ID]string{
			cost.KMSKey: "1.000", cost.HostedZone: "0.500", cost.Alarm: "0.100", cost.Secret: "0.800", cost.StreamShard: "21.600", cost.StreamOnDemand: "28.800",
			cost.AuroraACU: "43.200", cost.RDSMicro: "23.040", cost.RDSDisk: "4.600", cost.CacheLeast: "6.048", cost.SearchSmall: "25.920", cost.SearchDisk: "1.220",
			cost.Balancer: "16.200",
		} {
			same(t, string(id), line(t, e, id).Month, 3, want)
		}
		same(t, "all", e.Total.Month, 3, "173.028")
		same(t, "all with the free tier", e.Total.Pay, 3, "172.928")
	}
	check(template)
	// as it is after a round through JSON: numbers are floats
	text, err := template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var read cfn.Template
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	check(read)
}
