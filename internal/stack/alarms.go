package stack

import (
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// alarmPeriod is over what alarms look, in seconds.
const alarmPeriod = 300

// alarm is a bound of a metric.
type alarm struct {
	id, name, description string
	namespace, metric     string
	dimension             string
	of                    any
	statistic             string // "Sum", "Maximum", "p99"
	bound                 float64
}

// addAlarms adds an alarm for failures and refusals of each function, and for dead letters; for latency only where a bound is
// set. They tell a topic if anybody is to be told.
func (s *render) addAlarms() error {
	settings := s.aws.Alarms
	if settings == nil {
		settings = &aloft.Alarms{}
	}
	tell, err := s.addNotifications(settings.Notify)
	if err != nil {
		return err
	}
	for _, f := range s.functions {
		id, name := s.prefix[f.Name], s.names[f.Name].Lambda
		of := alarm{namespace: "AWS/Lambda", dimension: "FunctionName", of: cfn.Ref(s.names[f.Name].Function), statistic: "Sum"}
		errors, throttles := of, of
		errors.id, errors.name, errors.metric = id+"ErrorsAlarm", name+"-errors", "Errors"
		errors.description, errors.bound = f.Name+" fails", float64(orElse(settings.Errors, 1))
		throttles.id, throttles.name, throttles.metric = id+"ThrottlesAlarm", name+"-throttles", "Throttles"
		throttles.description, throttles.bound = f.Name+" is refused for want of concurrency", float64(orElse(settings.Throttles, 1))
		s.addAlarm(errors, tell)
		s.addAlarm(throttles, tell)
		if settings.Latency != 0 {
			latency := of
			latency.id, latency.name, latency.metric, latency.statistic = id+"LatencyAlarm", name+"-latency", "Duration", "p99"
			latency.description, latency.bound = f.Name+" is slow", float64(time.Duration(settings.Latency).Milliseconds())
			s.addAlarm(latency, tell)
		}
	}
	for _, queue := range s.dead {
		s.addAlarm(alarm{
			id: queue + "Alarm", name: s.physicalQueue(queue), description: "events were given up", namespace: "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible",
			dimension: "QueueName", of: cfn.GetAtt(queue, "QueueName"), statistic: "Maximum", bound: 1,
		}, tell)
	}
	return nil
}

func (s *render) physicalQueue(id string) string {
	name, _ := s.template.Resources[id].Properties["QueueName"].(string)
	return name
}

func (s *render) addAlarm(a alarm, tell []any) {
	properties := map[string]any{
		"AlarmName": a.name, "AlarmDescription": a.description, "Namespace": a.namespace, "MetricName": a.metric,
		"Dimensions": []any{map[string]any{"Name": a.dimension, "Value": a.of}},
		"Period":     alarmPeriod, "EvaluationPeriods": 1, "Threshold": a.bound, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
		"TreatMissingData": "notBreaching",
	}
	if strings.HasPrefix(a.statistic, "p") {
		properties["ExtendedStatistic"] = a.statistic
	} else {
		properties["Statistic"] = a.statistic
	}
	if len(tell) > 0 {
		properties["AlarmActions"], properties["OKActions"] = tell, tell
	}
	s.add(a.id, "AWS::CloudWatch::Alarm", properties)
}

// addNotifications returns who is told: topics that exist, and one of the stack's for addresses of other kinds.
func (s *render) addNotifications(notify []string) ([]any, error) {
	const topic = "AlarmTopic"
	var tell []any
	for _, target := range notify {
		var protocol string
		switch {
		case strings.HasPrefix(target, "arn:"):
			tell = append(tell, target)
			continue
		case strings.HasPrefix(target, "https://"):
			protocol = "https"
		case strings.Contains(target, "@") && !strings.ContainsAny(target, " /"):
			protocol = "email"
		default:
			return nil, aloft.Errorf(aloft.Invalid, "alarms cannot tell %q", target).WithHint("name an e-mail address, an https:// URL or the ARN of a topic")
		}
		if _, there := s.template.Resources[topic]; !there {
			s.add(topic, "AWS::SNS::Topic", map[string]any{"TopicName": s.stackName() + "-alarms"})
			tell = append(tell, cfn.Ref(topic))
		}
		s.add("AlarmSubscription"+cfn.Digest(target), "AWS::SNS::Subscription", map[string]any{
			"TopicArn": cfn.Ref(topic), "Protocol": protocol, "Endpoint": target,
		})
	}
	return tell, nil
}
