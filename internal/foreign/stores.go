package foreign

import (
	"slices"
	"strings"
)

// HoldsData reports whether resources of a type may have what nobody can make again. It is so of all types but those that are known to
// have nothing beside what their template says: a type that nobody thought of here costs nobody its data. Custom resources and nested
// stacks may hold anything.
func HoldsData(kind string) bool {
	name, is := strings.CutPrefix(kind, "AWS::")
	if !is {
		return true // of custom resources and of others' types only their makers know
	}
	service, part, _ := strings.Cut(name, "::")
	if slices.Contains(keptParts(), name) {
		return true
	}
	parts, known := plainTypes()[service]
	return !known || len(parts) > 0 && !slices.Contains(parts, part)
}

// IsCustom reports whether resources of a type are made by a function.
func IsCustom(kind string) bool {
	return strings.HasPrefix(kind, "Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

// keptParts are types of services that else hold nothing: who asks an API has its keys, and they are not in the template.
func keptParts() []string {
	return []string{"ApiGateway::ApiKey", "ApiGateway::ClientCertificate"}
}

// plainTypes are, by service, the types whose resources have nothing beside what their template says; of a service without a list
// all are. What of that goes with a stack can be made again, if not with the same address. Log groups are not among them: logs cannot.
func plainTypes() map[string][]string {
	return map[string][]string{
		"ApiGateway": nil, "ApiGatewayV2": nil, "CDK": nil, "CloudWatch": nil, "CodeDeploy": nil, "Lambda": nil, "XRay": nil,
		"AppSync":                {"DataSource", "FunctionConfiguration", "GraphQLApi", "GraphQLSchema", "Resolver"},
		"ApplicationAutoScaling": {"ScalableTarget", "ScalingPolicy"},
		"Backup":                 {"BackupPlan", "BackupSelection"},
		"CertificateManager":     {"Certificate"},
		"CloudFormation":         {"WaitCondition", "WaitConditionHandle"},
		"CloudFront": {
			"CachePolicy", "CloudFrontOriginAccessIdentity", "Distribution", "Function", "OriginAccessControl", "OriginRequestPolicy", "ResponseHeadersPolicy",
		},
		"EC2": {
			"EgressOnlyInternetGateway", "FlowLog", "InternetGateway", "NatGateway", "NetworkAcl", "NetworkAclEntry", "NetworkInterface", "Route", "RouteTable",
			"SecurityGroup", "SecurityGroupEgress", "SecurityGroupIngress", "Subnet", "SubnetCidrBlock", "SubnetNetworkAclAssociation",
			"SubnetRouteTableAssociation", "VPC", "VPCCidrBlock", "VPCDHCPOptionsAssociation", "VPCEndpoint", "VPCGatewayAttachment",
		},
		"ECS":                    {"Cluster", "Service", "TaskDefinition"},
		"ElasticLoadBalancingV2": {"Listener", "ListenerCertificate", "ListenerRule", "LoadBalancer", "TargetGroup"},
		"Events":                 {"EventBusPolicy", "Rule"},
		"IAM":                    {"InstanceProfile", "ManagedPolicy", "Policy", "Role", "RolePolicy"},
		"IoT":                    {"TopicRule"},
		"KMS":                    {"Alias"},
		"Logs":                   {"MetricFilter", "QueryDefinition", "ResourcePolicy", "SubscriptionFilter"},
		"Pipes":                  {"Pipe"},
		"Route53":                {"HealthCheck", "RecordSet", "RecordSetGroup"},
		"S3":                     {"BucketPolicy"},
		"SNS":                    {"Subscription", "TopicInlinePolicy", "TopicPolicy"},
		"SQS":                    {"QueueInlinePolicy", "QueuePolicy"},
		"Scheduler":              {"Schedule"},
		"StepFunctions":          {"StateMachine", "StateMachineAlias", "StateMachineVersion"},
		"WAFv2":                  {"WebACL", "WebACLAssociation"},
	}
}
