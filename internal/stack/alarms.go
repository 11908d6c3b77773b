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
	dimensions            []any
	statistic             string // "Sum", "Maximum", "p99"
	bound                 float64
}

// addAlarms adds an alarm for failures and refusals of each function, for dead letters, and for answers with 500 or more; for latency
// only where a bound is set. They tell a topic if anybody is to be told.
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
		of := alarm{namespace: lambdaMetrics, dimensions: []any{dimension("FunctionName", cfn.Ref(s.names[f.Name].Function))}, statistic: "Sum"}
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
			dimensions: []any{dimension("QueueName", cfn.GetAtt(queue, "QueueName"))}, statistic: "Maximum", bound: 1,
		}, tell)
	}
	for _, a := range s.answers() {
		a.description, a.statistic, a.bound = "requests are answered with 500 or more", "Sum", float64(orElse(settings.Errors, 1))
		s.addAlarm(a, tell)
	}
	return nil
}

// dropAnswers takes the API's alarm away where the section cloudformation takes its API away, as for stacks of others that keep theirs.
func (s *render) dropAnswers() error {
	if _, there := s.template.Resources[s.aws.IDOf(s.api())]; !there {
		delete(s.template.Resources, s.aws.IDOf(apiAlarmID))
	}
	return nil
}

const (
	apiAlarmID     = "Api5xxAlarm" // of either kind of API: the alarm has one name
	lambdaMetrics  = "AWS/Lambda"
	gatewayMetrics = "AWS/ApiGateway"
)

func dimension(name string, value any) any { return map[string]any{"Name": name, "Value": value} }

// answers are alarms for answers with 500 or more of the API and of each function URL. To Lambda what a web function answers is a
// success, also where its server has crashed: then the shim answers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html,
// https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
func (s *render) answers() []alarm {
	var all []alarm
	switch s.template.Resources[s.api()].Type {
	case restType:
		all = append(all, alarm{
			id: apiAlarmID, name: s.stackName() + "-api-5xx", namespace: gatewayMetrics, metric: "5XXError",
			dimensions: []any{dimension("ApiName", s.in.Release.Label()), dimension("Stage", RESTStage)},
		})
	case httpType:
		all = append(all, alarm{
			id: apiAlarmID, name: s.stackName() + "-api-5xx", namespace: gatewayMetrics, metric: "5xx",
			dimensions: []any{dimension("ApiId", cfn.Ref(httpAPI))},
		})
	}
	for _, f := range s.functions {
		if url := s.prefix[f.Name] + urlID; s.template.Resources[url].Type == urlType {
			all = append(all, alarm{
				id: url + "5xxAlarm", name: s.names[f.Name].Lambda + "-url-5xx", namespace: lambdaMetrics, metric: "Url5xxCount",
				dimensions: []any{dimension("FunctionName", cfn.Ref(s.names[f.Name].Function))},
			})
		}
	}
	return all
}

func (s *render) physicalQueue(id string) string {
	name, _ := s.template.Resources[id].Properties["QueueName"].(string)
	return name
}

func (s *render) addAlarm(a alarm, tell []any) {
	properties := map[string]any{
		"AlarmName": a.name, "AlarmDescription": a.description, "Namespace": a.namespace, "MetricName": a.metric,
		"Dimensions": a.dimensions, "Period": alarmPeriod, "EvaluationPeriods": 1, "Threshold": a.bound, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
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
	topic := "AlarmTopic"
	if _, taken := s.template.Resources[topic]; taken { // by a topic of the app that is called alarm
		topic = "AlarmsTopic"
	}
	made := false
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
		if !made {
			made = true
			s.add(topic, "AWS::SNS::Topic", map[string]any{"TopicName": s.stackName() + "-alarms"})
			tell = append(tell, cfn.Ref(topic))
		}
		s.add("AlarmSubscription"+cfn.Digest(target), "AWS::SNS::Subscription", map[string]any{
			"TopicArn": cfn.Ref(topic), "Protocol": protocol, "Endpoint": target,
		})
	}
	return tell, nil
}
