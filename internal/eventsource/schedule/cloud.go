package schedule

import (
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
)

var _ eventsource.Cloud = (*source)(nil)

// The bounds of EventBridge Scheduler: an event that cannot be handed to Lambda is tried again, as here for the time that an
// event may be late.
const (
	mostTries   = 185
	maxSchedule = 64 // of a name
)

// Render implements eventsource.Cloud: a schedule of EventBridge Scheduler, with a role that may invoke the function, and the
// event that functions get here. A tick comes at least once. A rate counts from when the stack made it.
func (s *source) Render(in eventsource.Rendering) (eventsource.Rendered, error) {
	name := cfn.Shorten(in.Function+"-"+cfn.Digest(s.text), maxSchedule)
	role := in.ID + "Role"
	return eventsource.Rendered{
		Resources: map[string]cfn.Resource{
			role: {Type: "AWS::IAM::Role", Properties: map[string]any{
				"AssumeRolePolicyDocument": cfn.TrustOwn("scheduler.amazonaws.com"),
				"Policies": []any{map[string]any{"PolicyName": "invoke", "PolicyDocument": cfn.Policy(
					cfn.Statement{Action: []string{"lambda:InvokeFunction"}, Resource: in.Alias},
				)}},
			}},
			in.ID: {Type: "AWS::Scheduler::Schedule", Properties: map[string]any{
				"Name": name, "Description": s.text, "ScheduleExpression": s.expression, "ScheduleExpressionTimezone": s.zone,
				"FlexibleTimeWindow": map[string]any{"Mode": "OFF"}, "State": "ENABLED",
				"Target": map[string]any{
					"Arn": in.Alias, "RoleArn": cfn.GetAtt(role, "Arn"), "Input": cfn.Sub(cloudEvent),
					"RetryPolicy": map[string]any{"MaximumEventAgeInSeconds": int(lateBy.Seconds()), "MaximumRetryAttempts": mostTries},
				},
			}},
		},
		Origin: name,
	}, nil
}

// cloudEvent is the event that functions get here, in which CloudFormation and Scheduler put what they know.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
const cloudEvent = `{"version":"0","id":"<aws.scheduler.execution-id>","detail-type":"Scheduled Event","source":"aws.events",` +
	`"account":"${AWS::AccountId}","time":"<aws.scheduler.scheduled-time>","region":"${AWS::Region}",` +
	`"resources":["<aws.scheduler.schedule-arn>"],"detail":{}}`
