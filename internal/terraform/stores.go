package terraform

import (
	"github.com/aloft-run/aloft/internal/cfn"
)

// policyOf are policies of several things, each a resource here.
func policyOf(kind, property, argument string) func(*translation, string, cfn.Resource) error {
	return func(t *translation, id string, r cfn.Resource) error {
		targets, _ := r.Properties[property].([]any)
		for i, target := range targets {
			s := t.add(kind, numbered(t.names[id], i, len(targets)))
			made, err := t.value(target)
			if err != nil {
				return err
			}
			s.body.set(argument, made)
			if err := t.fill(s.body, shape{property: none, "PolicyDocument": text("policy")}, r.Properties); err != nil {
				return err
			}
		}
		return nil
	}
}

func storeKinds() map[string]kind {
	return map[string]kind{
		"AWS::DynamoDB::Table": {
			name: "aws_dynamodb_table", attributes: map[string]string{"": "name", "Arn": "arn", "StreamArn": "stream_arn"},
			shape: shape{
				"TableName": as("name"), "BillingMode": as("billing_mode"), "KeySchema": keySchema, "TableClass": as("table_class"), "Tags": tags(),
				"DeletionProtectionEnabled":        as("deletion_protection_enabled"),
				"AttributeDefinitions":             blocks("attribute", shape{"AttributeName": as("name"), "AttributeType": as("type")}),
				"PointInTimeRecoverySpecification": block("point_in_time_recovery", shape{"PointInTimeRecoveryEnabled": as("enabled")}),
				"SSESpecification":                 block("server_side_encryption", shape{"SSEEnabled": as("enabled"), "SSEType": none, "KMSMasterKeyId": as("kms_key_arn")}),
				"TimeToLiveSpecification":          block("ttl", shape{"AttributeName": as("attribute_name"), "Enabled": as("enabled")}),
				"StreamSpecification":              tableStream,
			},
		},
		"AWS::Kinesis::Stream": {
			name: "aws_kinesis_stream", attributes: map[string]string{"": "name", "Arn": "arn"},
			shape: shape{
				"Name": as("name"), "ShardCount": as("shard_count"), "RetentionPeriodHours": as("retention_period"), "Tags": tags(),
				"StreamEncryption":  flat(shape{"EncryptionType": as("encryption_type"), "KeyId": as("kms_key_id")}),
				"StreamModeDetails": block("stream_mode_details", shape{"StreamMode": as("stream_mode")}),
			},
		},
		"AWS::ElastiCache::ServerlessCache": {
			name:       "aws_elasticache_serverless_cache",
			attributes: map[string]string{"": "name", "ARN": "arn", "Endpoint.Address": "endpoint[0].address", "Endpoint.Port": "endpoint[0].port"},
			shape: shape{
				"ServerlessCacheName": as("name"), "Engine": as("engine"), "MajorEngineVersion": as("major_engine_version"), "Description": as("description"),
				"SecurityGroupIds": as("security_group_ids"), "SubnetIds": as("subnet_ids"), "KmsKeyId": as("kms_key_id"), "Tags": tags(),
				"CacheUsageLimits": block("cache_usage_limits", shape{
					"DataStorage":   block("data_storage", shape{"Maximum": as("maximum"), "Minimum": as("minimum"), "Unit": as("unit")}),
					"ECPUPerSecond": block("ecpu_per_second", shape{"Maximum": as("maximum"), "Minimum": as("minimum")}),
				}),
			},
		},
		"AWS::OpenSearchService::Domain": searchKind(),
	}
}

// keySchema are the keys of a table, which Terraform has by their roles.
func keySchema(t *translation, to *body, v any) error {
	all, _ := v.([]any)
	for _, one := range all {
		key, _ := one.(map[string]any)
		name := map[any]string{"HASH": "hash_key", "RANGE": "range_key"}[key["KeyType"]]
		if name == "" {
			return t.refuse("a KeySchema with another KeyType than HASH and RANGE")
		}
		to.set(name, key["AttributeName"])
	}
	return nil
}

func tableStream(t *translation, to *body, v any) error {
	to.set("stream_enabled", true)
	return t.fill(to, shape{"StreamViewType": as("stream_view_type")}, v)
}

func searchKind() kind {
	return kind{
		name: "aws_opensearch_domain", attributes: map[string]string{"": "domain_name", "Arn": "arn", "DomainArn": "arn", "DomainEndpoint": "endpoint"},
		shape: shape{
			"DomainName": as("domain_name"), "EngineVersion": as("engine_version"), "AccessPolicies": text("access_policies"), "Tags": tags(),
			"ClusterConfig": block("cluster_config", shape{"InstanceType": as("instance_type"), "InstanceCount": as("instance_count"), "ZoneAwarenessEnabled": as("zone_awareness_enabled")}),
			"EBSOptions": block("ebs_options", shape{
				"EBSEnabled": as("ebs_enabled"), "VolumeType": as("volume_type"), "VolumeSize": as("volume_size"), "Iops": as("iops"), "Throughput": as("throughput"),
			}),
			"EncryptionAtRestOptions":     block("encrypt_at_rest", shape{"Enabled": as("enabled"), "KmsKeyId": as("kms_key_id")}),
			"NodeToNodeEncryptionOptions": block("node_to_node_encryption", shape{"Enabled": as("enabled")}),
			"DomainEndpointOptions":       block("domain_endpoint_options", shape{"EnforceHTTPS": as("enforce_https"), "TLSSecurityPolicy": as("tls_security_policy")}),
			"VPCOptions":                  block("vpc_options", shape{"SubnetIds": as("subnet_ids"), "SecurityGroupIds": as("security_group_ids")}),
		},
	}
}

func networkKinds() map[string]kind {
	rule := shape{
		"IpProtocol": as("protocol"), "FromPort": as("from_port"), "ToPort": as("to_port"), "Description": as("description"),
		"SourceSecurityGroupId": list("security_groups"), "DestinationSecurityGroupId": list("security_groups"), "CidrIp": list("cidr_blocks"), "CidrIpv6": list("ipv6_cidr_blocks"),
	}
	return map[string]kind{
		"AWS::EC2::SecurityGroup": {
			name: "aws_security_group", attributes: map[string]string{"": "id", "GroupId": "id", "Id": "id", "VpcId": "vpc_id"},
			shape: shape{
				"GroupName": as("name"), "GroupDescription": as("description"), "VpcId": as("vpc_id"), "Tags": tags(),
				"SecurityGroupIngress": blocks("ingress", rule), "SecurityGroupEgress": blocks("egress", rule),
			},
			more: func(t *translation, id string, r cfn.Resource, main *section) error {
				if r.Properties["GroupName"] == nil {
					main.body.set("name_prefix", t.generated(id, 100))
				}
				if r.Properties["SecurityGroupEgress"] == nil { // CloudFormation leaves what EC2 gives a group; Terraform takes that away
					all := main.body.block("egress")
					all.set("protocol", "-1")
					all.set("from_port", 0)
					all.set("to_port", 0)
					all.set("cidr_blocks", []any{"0.0.0.0/0"})
				}
				return nil
			},
		},
		// aloft has it for nothing but to learn the network of a subnet: Terraform can look that up.
		"AWS::EC2::NetworkInterface": {
			name: "aws_subnet", from: "data.aws_subnet", attributes: map[string]string{"VpcId": "vpc_id"},
			whole: func(t *translation, id string, r cfn.Resource) error {
				subnet, err := t.value(r.Properties["SubnetId"])
				s := t.add("aws_subnet", t.names[id])
				s.data = true
				s.body.set("id", subnet)
				return err
			},
		},
	}
}

// tellsNetwork reports whether a network interface is there for nothing but to tell of which network its subnet is.
func (t *translation) tellsNetwork(id string) bool {
	return len(t.uses[id]) == 1 && t.uses[id]["VpcId"]
}
