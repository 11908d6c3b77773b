package terraform

import (
	"encoding/json"
	"time"
)

// eventKinds are what leads events to functions, and queues and topics.
func eventKinds() map[string]kind {
	return map[string]kind{
		"AWS::Lambda::EventSourceMapping": mappingKind(),
		"AWS::Scheduler::Schedule":        scheduleKind(),
		"AWS::Scheduler::ScheduleGroup": {
			name: "aws_scheduler_schedule_group", attributes: map[string]string{"": "name", "Arn": "arn"}, shape: shape{"Name": as("name"), "Tags": tags()},
		},
		"AWS::SQS::Queue": {
			name: "aws_sqs_queue", attributes: map[string]string{"": "url", "QueueUrl": "url", "Arn": "arn", "QueueName": "name"},
			shape: shape{
				"QueueName": as("name"), "DelaySeconds": as("delay_seconds"), "MaximumMessageSize": as("max_message_size"),
				"MessageRetentionPeriod": as("message_retention_seconds"), "ReceiveMessageWaitTimeSeconds": as("receive_wait_time_seconds"),
				"VisibilityTimeout": as("visibility_timeout_seconds"), "SqsManagedSseEnabled": as("sqs_managed_sse_enabled"), "KmsMasterKeyId": as("kms_master_key_id"),
				"FifoQueue": as("fifo_queue"), "ContentBasedDeduplication": as("content_based_deduplication"), "DeduplicationScope": as("deduplication_scope"),
				"FifoThroughputLimit": as("fifo_throughput_limit"), "RedrivePolicy": text("redrive_policy"), "RedriveAllowPolicy": text("redrive_allow_policy"), "Tags": tags(),
			},
		},
		"AWS::SQS::QueuePolicy": {name: "aws_sqs_queue_policy", attributes: map[string]string{}, whole: policyOf("aws_sqs_queue_policy", "Queues", "queue_url")},
		"AWS::SNS::Topic": {
			name: "aws_sns_topic", attributes: map[string]string{"": "arn", "TopicArn": "arn", "TopicName": "name"},
			shape: shape{
				"TopicName": as("name"), "DisplayName": as("display_name"), "KmsMasterKeyId": as("kms_master_key_id"), "FifoTopic": as("fifo_topic"),
				"ContentBasedDeduplication": as("content_based_deduplication"), "Tags": tags(),
			},
		},
		"AWS::SNS::TopicPolicy": {name: "aws_sns_topic_policy", attributes: map[string]string{}, whole: policyOf("aws_sns_topic_policy", "Topics", "arn")},
		"AWS::SNS::Subscription": {
			name: "aws_sns_topic_subscription", attributes: map[string]string{"": "arn"},
			shape: shape{
				"TopicArn": as("topic_arn"), "Protocol": as("protocol"), "Endpoint": as("endpoint"), "FilterPolicy": text("filter_policy"),
				"FilterPolicyScope": as("filter_policy_scope"), "RawMessageDelivery": as("raw_message_delivery"), "RedrivePolicy": text("redrive_policy"),
			},
		},
	}
}

func mappingKind() kind {
	return kind{
		name: "aws_lambda_event_source_mapping", attributes: map[string]string{"": "uuid", "Id": "uuid"},
		shape: shape{
			"EventSourceArn": as("event_source_arn"), "FunctionName": as("function_name"), "Enabled": as("enabled"), "BatchSize": as("batch_size"),
			"FunctionResponseTypes": as("function_response_types"), "MaximumBatchingWindowInSeconds": as("maximum_batching_window_in_seconds"),
			"MaximumRetryAttempts": as("maximum_retry_attempts"), "MaximumRecordAgeInSeconds": as("maximum_record_age_in_seconds"),
			"BisectBatchOnFunctionError": as("bisect_batch_on_function_error"), "ParallelizationFactor": as("parallelization_factor"),
			"StartingPosition": as("starting_position"), "StartingPositionTimestamp": since, "TumblingWindowInSeconds": as("tumbling_window_in_seconds"),
			"KmsKeyArn": as("kms_key_arn"), "Tags": tags(),
			"FilterCriteria": block("filter_criteria", shape{"Filters": blocks("filter", shape{"Pattern": as("pattern")})}),
			"ScalingConfig":  block("scaling_config", shape{"MaximumConcurrency": as("maximum_concurrency")}),
			"DestinationConfig": block("destination_config", shape{
				"OnFailure": block("on_failure", shape{"Destination": as("destination_arn")}),
			}),
		},
	}
}

// since is a time, which CloudFormation has as seconds since 1970.
func since(t *translation, to *body, v any) error {
	number, ok := v.(json.Number)
	seconds, err := number.Float64()
	if !ok || err != nil {
		return t.refuse("a StartingPositionTimestamp that is no number")
	}
	to.set("starting_position_timestamp", time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339))
	return nil
}

func scheduleKind() kind {
	return kind{
		name: "aws_scheduler_schedule", attributes: map[string]string{"": "name", "Arn": "arn"},
		shape: shape{
			"Name": as("name"), "Description": as("description"), "GroupName": as("group_name"), "ScheduleExpression": as("schedule_expression"),
			"ScheduleExpressionTimezone": as("schedule_expression_timezone"), "State": as("state"), "KmsKeyArn": as("kms_key_arn"),
			"StartDate": as("start_date"), "EndDate": as("end_date"),
			"FlexibleTimeWindow": block("flexible_time_window", shape{"Mode": as("mode"), "MaximumWindowInMinutes": as("maximum_window_in_minutes")}),
			"Target": block("target", shape{
				"Arn": as("arn"), "RoleArn": as("role_arn"), "Input": as("input"), "DeadLetterConfig": block("dead_letter_config", shape{"Arn": as("arn")}),
				"RetryPolicy": block("retry_policy", shape{
					"MaximumEventAgeInSeconds": as("maximum_event_age_in_seconds"), "MaximumRetryAttempts": as("maximum_retry_attempts"),
				}),
			}),
		},
	}
}
