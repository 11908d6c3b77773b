package cost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// Standing counts what of a template costs as long as it is there, used or not, for Stage.Resources. Unpriced are the logical
// names, with types, of what stands too, but the table has no price for. What is billed by use only (buckets, queues, topics,
// tables) is in neither.
func Standing(t cfn.Template) (resources map[ID]Amount, unpriced []string) {
	resources = map[ID]Amount{}
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[name]
		counted, ok := standing(r)
		if !ok {
			unpriced = append(unpriced, name+" ("+r.Type+")")
		}
		for id, n := range counted {
			resources[id] = resources[id].Plus(n)
		}
	}
	return resources, unpriced
}

// standing is what one resource counts as; false if it stands and has no price.
func standing(r cfn.Resource) (map[ID]Amount, bool) {
	p := properties(r.Properties)
	switch r.Type {
	case "AWS::SecretsManager::Secret":
		return map[ID]Amount{Secret: Int(1)}, true
	case "AWS::KMS::Key":
		return map[ID]Amount{KMSKey: Int(1)}, true
	case "AWS::Route53::HostedZone":
		return map[ID]Amount{HostedZone: Int(1)}, true
	case "AWS::CloudWatch::Alarm":
		return map[ID]Amount{Alarm: Int(1)}, true
	case "AWS::Kinesis::Stream":
		return p.stream(), true
	case "AWS::RDS::DBCluster":
		n, ok := p.in("ServerlessV2ScalingConfiguration").number("MinCapacity")
		return map[ID]Amount{AuroraACU: n}, ok
	case "AWS::RDS::DBInstance":
		return p.database()
	case "AWS::ElastiCache::ServerlessCache":
		return map[ID]Amount{CacheLeast: Int(1)}, p.text("Engine") == "valkey"
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		if kind := p.text("Type"); kind != "" && kind != "application" {
			return nil, false
		}
		return map[ID]Amount{Balancer: Int(1)}, true
	case "AWS::OpenSearchService::Domain":
		return p.search()
	}
	return nil, !slices.ContainsFunc(dear(), func(prefix string) bool { return strings.HasPrefix(r.Type, prefix) })
}

// dear are the beginnings of types that stand, and of which the table has no price.
func dear() []string {
	return []string{
		"AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::MemoryDB::Cluster", "AWS::DocDB::", "AWS::Neptune::",
		"AWS::EC2::Instance", "AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint", "AWS::EC2::EIP", "AWS::EC2::Volume", "AWS::ECS::Service", "AWS::EFS::",
		"AWS::ElasticLoadBalancing::LoadBalancer", "AWS::WAFv2::WebACL", "AWS::MSK::", "AWS::Redshift", "AWS::OpenSearchServerless::Collection",
	}
}

// properties are those of a resource: what Go put there, or JSON.
type properties map[string]any

func (p properties) in(name string) properties {
	inner, _ := p[name].(map[string]any)
	return inner
}

func (p properties) text(name string) string {
	text, _ := p[name].(string)
	return text
}

// number reads a plain number, or one in quotes as CloudFormation often wants it.
func (p properties) number(name string) (Amount, bool) {
	if p[name] == nil {
		return Amount{}, false
	}
	return Decimal(fmt.Sprint(p[name]))
}

func (p properties) stream() map[ID]Amount {
	if p.in("StreamModeDetails").text("StreamMode") == "ON_DEMAND" {
		return map[ID]Amount{StreamOnDemand: Int(1)}
	}
	shards, ok := p.number("ShardCount")
	if !ok {
		shards = Int(1)
	}
	return map[ID]Amount{StreamShard: shards}
}

// database is a server of RDS, twice if another stands by. One of a serverless cluster is in what the cluster counts as.
func (p properties) database() (map[ID]Amount, bool) {
	if p.text("DBInstanceClass") == "db.serverless" {
		return nil, true
	}
	disk, ok := p.number("AllocatedStorage")
	if !ok || p.text("DBInstanceClass") != "db.t4g.micro" || p.text("Engine") != "postgres" || p.text("StorageType") != "gp3" {
		return nil, false
	}
	servers := Int(1)
	if twice, _ := p["MultiAZ"].(bool); twice {
		servers = Int(2)
	}
	return map[ID]Amount{RDSMicro: servers, RDSDisk: servers.Times(disk)}, true
}

func (p properties) search() (map[ID]Amount, bool) {
	cluster, disk := p.in("ClusterConfig"), p.in("EBSOptions")
	nodes, ok := cluster.number("InstanceCount")
	if !ok {
		nodes = Int(1)
	}
	size, ok := disk.number("VolumeSize")
	if !ok || cluster.text("InstanceType") != "t3.small.search" || disk.text("VolumeType") != "gp3" {
		return nil, false
	}
	return map[ID]Amount{SearchSmall: nodes, SearchDisk: nodes.Times(size)}, true
}
