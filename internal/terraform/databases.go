package terraform

import (
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

func databaseKinds() map[string]kind {
	return map[string]kind{
		"AWS::RDS::DBCluster": {
			name:       "aws_rds_cluster",
			attributes: map[string]string{"": "cluster_identifier", "DBClusterArn": "arn", "Endpoint.Address": "endpoint", "Endpoint.Port": "port", "ReadEndpoint.Address": "reader_endpoint"},
			shape: shape{
				"DBClusterIdentifier": as("cluster_identifier"), "Engine": as("engine"), "EngineVersion": as("engine_version"), "DatabaseName": as("database_name"),
				"MasterUsername": as("master_username"), "MasterUserPassword": as("master_password"), "Port": as("port"),
				"DBSubnetGroupName": as("db_subnet_group_name"), "VpcSecurityGroupIds": as("vpc_security_group_ids"), "StorageEncrypted": as("storage_encrypted"),
				"KmsKeyId": as("kms_key_id"), "BackupRetentionPeriod": as("backup_retention_period"), "DeletionProtection": as("deletion_protection"),
				"CopyTagsToSnapshot": as("copy_tags_to_snapshot"), "Tags": tags(),
				"ServerlessV2ScalingConfiguration": block("serverlessv2_scaling_configuration", shape{
					"MinCapacity": as("min_capacity"), "MaxCapacity": as("max_capacity"), "SecondsUntilAutoPause": as("seconds_until_auto_pause"),
				}),
			},
			more: func(t *translation, id string, r cfn.Resource, main *section) error {
				if r.Properties["DBClusterIdentifier"] == nil {
					main.body.set("cluster_identifier_prefix", t.generated(id, 36))
				}
				t.lastSnapshot(id, r, main)
				return nil
			},
		},
		"AWS::RDS::DBInstance": {
			name:       "aws_db_instance",
			attributes: map[string]string{"": "identifier", "DBInstanceArn": "arn", "Endpoint.Address": "address", "Endpoint.Port": "port"},
			shape: shape{
				"DBInstanceIdentifier": as("identifier"), "Engine": as("engine"), "EngineVersion": as("engine_version"), "DBName": as("db_name"),
				"DBInstanceClass": as("instance_class"), "AllocatedStorage": as("allocated_storage"), "StorageType": as("storage_type"), "Iops": as("iops"),
				"MasterUsername": as("username"), "MasterUserPassword": as("password"), "Port": as("port"), "MultiAZ": as("multi_az"),
				"DBSubnetGroupName": as("db_subnet_group_name"), "VPCSecurityGroups": as("vpc_security_group_ids"), "StorageEncrypted": as("storage_encrypted"),
				"KmsKeyId": as("kms_key_id"), "BackupRetentionPeriod": as("backup_retention_period"), "DeletionProtection": as("deletion_protection"),
				"CopyTagsToSnapshot": as("copy_tags_to_snapshot"), "PubliclyAccessible": as("publicly_accessible"), "AllowMajorVersionUpgrade": as("allow_major_version_upgrade"), "Tags": tags(),
			},
			more: func(t *translation, id string, r cfn.Resource, main *section) error {
				if r.Properties["DBInstanceIdentifier"] == nil {
					main.body.set("identifier_prefix", t.generated(id, 36))
				}
				t.lastSnapshot(id, r, main)
				return nil
			},
		},
		"AWS::RDS::DBSubnetGroup": {
			name: "aws_db_subnet_group", attributes: map[string]string{"": "name"},
			shape: shape{"DBSubnetGroupName": as("name"), "DBSubnetGroupDescription": as("description"), "SubnetIds": as("subnet_ids"), "Tags": tags()},
			more: func(t *translation, id string, r cfn.Resource, main *section) error {
				if r.Properties["DBSubnetGroupName"] == nil {
					main.body.set("name_prefix", t.generated(id, 200))
				}
				return nil
			},
		},
	}
}

// clusterInstance is a server of a cluster.
func clusterInstance() kind {
	return kind{
		name: "aws_rds_cluster_instance", attributes: map[string]string{"": "identifier", "DBInstanceArn": "arn", "Endpoint.Address": "endpoint", "Endpoint.Port": "port"},
		shape: shape{
			"DBClusterIdentifier": as("cluster_identifier"), "DBInstanceIdentifier": as("identifier"), "DBInstanceClass": as("instance_class"), "Engine": as("engine"),
			"EngineVersion": as("engine_version"), "PubliclyAccessible": as("publicly_accessible"), "Tags": tags(),
		},
		more: func(t *translation, id string, r cfn.Resource, main *section) error {
			if r.Properties["DBInstanceIdentifier"] == nil {
				main.body.set("identifier_prefix", t.generated(id, 36))
			}
			return nil
		},
	}
}

// lastSnapshot says whether a database that is deleted leaves a snapshot.
func (t *translation) lastSnapshot(id string, r cfn.Resource, main *section) {
	if r.DeletionPolicy == "Delete" {
		main.body.set("skip_final_snapshot", true)
		return
	}
	main.body.set("final_snapshot_identifier", strings.ToLower(t.generated(id, 200))+"final")
}

// bucketKinds: what CloudFormation has as properties of a bucket, Terraform has as resources.
func bucketKinds() map[string]kind {
	return map[string]kind{
		"AWS::S3::Bucket": {
			name: "aws_s3_bucket", attributes: map[string]string{"": "id", "Arn": "arn", "DomainName": "bucket_domain_name", "RegionalDomainName": "bucket_regional_domain_name"},
			shape: shape{
				"BucketName": as("bucket"), "Tags": tags(), "BucketEncryption": none, "PublicAccessBlockConfiguration": none, "OwnershipControls": none,
				"LifecycleConfiguration": none, "VersioningConfiguration": none, "NotificationConfiguration": none,
			},
			more: bucketParts,
		},
		"AWS::S3::BucketPolicy": {
			name: "aws_s3_bucket_policy", attributes: map[string]string{}, shape: shape{"Bucket": as("bucket"), "PolicyDocument": text("policy")},
		},
	}
}

func bucketParts(t *translation, _ string, r cfn.Resource, main *section) error {
	if r.DeletionPolicy == "Delete" { // aloft empties a bucket that goes
		main.body.set("force_destroy", true)
	}
	days := shape{"DaysAfterInitiation": as("days_after_initiation")}
	for _, part := range []struct {
		property, kind string
		shape          shape
	}{
		{"BucketEncryption", "aws_s3_bucket_server_side_encryption_configuration", shape{"ServerSideEncryptionConfiguration": blocks("rule", shape{
			"BucketKeyEnabled":              as("bucket_key_enabled"),
			"ServerSideEncryptionByDefault": block("apply_server_side_encryption_by_default", shape{"SSEAlgorithm": as("sse_algorithm"), "KMSMasterKeyID": as("kms_master_key_id")}),
		})}},
		{"PublicAccessBlockConfiguration", "aws_s3_bucket_public_access_block", shape{
			"BlockPublicAcls": as("block_public_acls"), "BlockPublicPolicy": as("block_public_policy"), "IgnorePublicAcls": as("ignore_public_acls"),
			"RestrictPublicBuckets": as("restrict_public_buckets"),
		}},
		{"OwnershipControls", "aws_s3_bucket_ownership_controls", shape{"Rules": blocks("rule", shape{"ObjectOwnership": as("object_ownership")})}},
		{"LifecycleConfiguration", "aws_s3_bucket_lifecycle_configuration", shape{"Rules": blocks("rule", shape{
			"Id": as("id"), "Status": as("status"), "Prefix": as("prefix"), "AbortIncompleteMultipartUpload": block("abort_incomplete_multipart_upload", days),
			"ExpirationInDays": func(t *translation, to *body, v any) error {
				return as("days")(t, to.block("expiration"), v)
			},
		})}},
		{"VersioningConfiguration", "aws_s3_bucket_versioning", shape{"Status": func(t *translation, to *body, v any) error {
			return as("status")(t, to.block("versioning_configuration"), v)
		}}},
		{"NotificationConfiguration", "aws_s3_bucket_notification", shape{"LambdaConfigurations": blocks("lambda_function", shape{
			"Event": list("events"), "Function": as("lambda_function_arn"), "Filter": keyFilter,
		})}},
	} {
		v, there := r.Properties[part.property]
		if !there {
			continue
		}
		s := t.add(part.kind, main.name)
		s.body.set("bucket", raw(main.address()+".id"))
		if err := t.fill(s.body, part.shape, v); err != nil {
			return err
		}
		if part.property == "LifecycleConfiguration" {
			everyObject(s.body)
		}
	}
	return nil
}

// everyObject has rules that name no prefix count for all objects, which Terraform wants said.
func everyObject(b *body) {
	for _, i := range b.items {
		if i.name == "rule" && i.block != nil && !i.block.has("prefix") {
			i.block.block("filter")
		}
	}
}

// keyFilter is which keys a bucket tells of.
func keyFilter(t *translation, to *body, v any) error {
	object, _ := v.(map[string]any)
	key, _ := object["S3Key"].(map[string]any)
	rules, _ := key["Rules"].([]any)
	for _, one := range rules {
		rule, _ := one.(map[string]any)
		name := map[any]string{"prefix": "filter_prefix", "suffix": "filter_suffix"}[rule["Name"]]
		if name == "" {
			return t.refuse("a filter of keys by something else than prefix and suffix")
		}
		if err := as(name)(t, to, rule["Value"]); err != nil {
			return err
		}
	}
	return nil
}
