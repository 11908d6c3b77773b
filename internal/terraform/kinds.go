package terraform

import "maps"

// kind is how a resource of the template is translated.
func (t *translation) kind(id string) (kind, bool) {
	r := t.template.Resources[id]
	if _, inCluster := r.Properties["DBClusterIdentifier"]; inCluster && r.Type == "AWS::RDS::DBInstance" {
		return clusterInstance(), true
	}
	if r.Type == "AWS::EC2::NetworkInterface" && !t.tellsNetwork(id) {
		return kind{}, false
	}
	k, ok := t.kinds[r.Type]
	return k, ok
}

// allKinds are the types that are translated.
func allKinds() map[string]kind {
	all := map[string]kind{}
	for _, part := range []map[string]kind{lambdaKinds(), apiKinds(), restKinds(), eventKinds(), storeKinds(), networkKinds(), databaseKinds(), bucketKinds(), domainKinds(), accountKinds()} {
		maps.Copy(all, part)
	}
	return all
}

// accountKinds are roles, logs, alarms, secrets and mail.
func accountKinds() map[string]kind {
	return map[string]kind{
		"AWS::IAM::Role": {
			name: "aws_iam_role", attributes: map[string]string{"": "name", "Arn": "arn", "RoleId": "unique_id"}, more: rolePolicies,
			shape: shape{
				"RoleName": as("name"), "Description": as("description"), "AssumeRolePolicyDocument": text("assume_role_policy"), "Path": as("path"),
				"MaxSessionDuration": as("max_session_duration"), "PermissionsBoundary": as("permissions_boundary"), "Tags": tags(),
				"Policies": none, "ManagedPolicyArns": none,
			},
		},
		"AWS::Logs::LogGroup": {
			name: "aws_cloudwatch_log_group", attributes: map[string]string{"": "name", "Arn": "arn"},
			shape: shape{"LogGroupName": as("name"), "RetentionInDays": as("retention_in_days"), "KmsKeyId": as("kms_key_id"), "Tags": tags()},
		},
		"AWS::CloudWatch::Alarm": {
			name: "aws_cloudwatch_metric_alarm", attributes: map[string]string{"": "alarm_name", "Arn": "arn"},
			shape: shape{
				"AlarmName": as("alarm_name"), "AlarmDescription": as("alarm_description"), "Namespace": as("namespace"), "MetricName": as("metric_name"),
				"Dimensions": pairs("dimensions", "Name", "Value"), "Period": as("period"), "EvaluationPeriods": as("evaluation_periods"),
				"DatapointsToAlarm": as("datapoints_to_alarm"), "Threshold": as("threshold"), "ComparisonOperator": as("comparison_operator"),
				"TreatMissingData": as("treat_missing_data"), "Statistic": as("statistic"), "ExtendedStatistic": as("extended_statistic"), "Unit": as("unit"),
				"AlarmActions": as("alarm_actions"), "OKActions": as("ok_actions"), "InsufficientDataActions": as("insufficient_data_actions"),
				"ActionsEnabled": as("actions_enabled"), "Tags": tags(),
			},
		},
		"AWS::SecretsManager::Secret": {
			name: "aws_secretsmanager_secret", attributes: map[string]string{"": "arn", "Id": "id"}, more: secretValue,
			shape: shape{
				"Name": as("name"), "Description": as("description"), "KmsKeyId": as("kms_key_id"), "Tags": tags(), "GenerateSecretString": none, "SecretString": none,
			},
		},
		"AWS::SES::EmailIdentity": {
			name: "aws_sesv2_email_identity", attributes: map[string]string{"": "email_identity"},
			shape: shape{"EmailIdentity": as("email_identity"), "Tags": tags()},
		},
	}
}
