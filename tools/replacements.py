#!/usr/bin/env python3
"""Writes which properties CloudFormation replaces a resource for, by type, from the schemas of AWS that cfn-lint brings.

usage: tools/replacements.py > internal/cfndiff/replacements.json   (go generate ./internal/cfndiff)

Paths are below Properties, their parts joined by "/"; "*" is every item of a list. The types are those that aloft's templates
have; add one here when a kind renders a new one. TestTypes says when that was forgotten.
"""
import datetime
import importlib.metadata
import json
import pathlib
import sys

import cfnlint

TYPES = """
ApiGateway::Deployment ApiGateway::Method ApiGateway::Resource ApiGateway::RestApi ApiGateway::Stage
ApiGateway::DomainName ApiGateway::BasePathMapping ApiGatewayV2::Api ApiGatewayV2::ApiMapping ApiGatewayV2::DomainName
ApiGatewayV2::Integration ApiGatewayV2::Route ApiGatewayV2::Stage CertificateManager::Certificate CloudWatch::Alarm
DynamoDB::Table EC2::SecurityGroup EC2::SecurityGroupIngress EC2::SecurityGroupEgress ElastiCache::CacheCluster
ElastiCache::ReplicationGroup ElastiCache::ServerlessCache ElastiCache::SubnetGroup Events::Rule IAM::Role IAM::Policy IAM::ManagedPolicy IAM::RolePolicy
KMS::Alias KMS::Key Kinesis::Stream Lambda::Alias Lambda::EventInvokeConfig Lambda::EventSourceMapping Lambda::Function
Lambda::LayerVersion Lambda::Permission Lambda::Url Lambda::Version Logs::LogGroup OpenSearchService::Domain RDS::DBCluster
RDS::DBInstance RDS::DBSubnetGroup Route53::HealthCheck Route53::HostedZone Route53::RecordSet S3::Bucket S3::BucketPolicy
SES::ConfigurationSet SES::EmailIdentity SNS::Subscription SNS::Topic SNS::TopicPolicy SQS::Queue SQS::QueuePolicy
SSM::Parameter Scheduler::Schedule Scheduler::ScheduleGroup SecretsManager::Secret SecretsManager::SecretTargetAttachment
WAFv2::WebACL WAFv2::WebACLAssociation
"""


def paths(schema, key):
    return sorted(p.removeprefix("/properties/").replace("/properties/", "/").replace("/items", "/*") for p in schema.get(key, []))


def main():
    schemas = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas"
    files = json.loads((schemas / "providers" / "us-east-1.json").read_text())
    types = {}
    for name in sorted("AWS::" + t for t in TYPES.split()):
        if name not in files:
            sys.exit(f"cfn-lint has no schema of {name}")
        schema = json.loads((schemas / "resources" / (files[name] + ".json")).read_text())
        always, maybe = paths(schema, "createOnlyProperties"), paths(schema, "conditionalCreateOnlyProperties")
        entry = {}
        if always:
            entry["always"] = always
        if maybe:
            entry["maybe"] = maybe
        types[name] = entry
    source = "cfn-lint " + importlib.metadata.version("cfn-lint") + ", AWS's resource schemas of us-east-1"
    json.dump({"date": datetime.date.today().isoformat(), "source": source, "types": types}, sys.stdout, indent=1)
    print()


main()
