package stack

import (
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// deadLetterDays is how long dead letters are kept, the longest that SQS has.
const deadLetterDays = 14

// addAsync says what becomes of events that nobody waits for. Those that are given up go into a queue, unless the function
// names another destination: they are never lost.
func (s *render) addAsync(f aloft.Function) ([]cfn.Statement, error) {
	a := f.Async
	if f.Kind == aloft.Static || a == nil && !slices.ContainsFunc(f.EventSources, unwaited) {
		return nil, nil
	}
	if a == nil {
		a = &aloft.Async{}
	}
	if a.RetryDelay != 0 {
		s.warn(f.Name + ": AWS decides itself when a failed event is tried again; its retryDelay counts elsewhere")
	}
	retries, _, age := a.Limits()
	destinations, needed := map[string]any{}, []string{s.names[f.Name].Alias}
	var statements []cfn.Statement
	for _, d := range []struct{ on, key, target string }{{"success", "OnSuccess", a.OnSuccess}, {"failure", "OnFailure", a.OnFailure}} {
		var arn any
		var needs []cfn.Statement
		switch {
		case d.target != "":
			var err error
			if arn, needs, err = s.destination(f, d.target); err != nil {
				return nil, err
			}
			if kind, name, _ := aloft.CutDestination(d.target); kind == "function" && name != f.Name { // Lambda looks at it
				needed = append(needed, s.names[name].Alias)
			}
		case d.on == "failure":
			arn = cfn.GetAtt(s.deadLetters(f), "Arn")
			needs = []cfn.Statement{{Action: []string{"sqs:SendMessage"}, Resource: arn}}
			if s.aws.KMSKey != "" { // Lambda sends with the function's role
				needs = append(needs, cfn.Statement{Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: s.aws.KMSKey})
			}
			d.target = "its dead letters"
		default:
			continue
		}
		destinations[d.key] = map[string]any{"Destination": arn}
		statements = append(statements, because(f.Name+" sends events on "+d.on+" to "+d.target, needs)...)
	}
	s.put(s.prefix[f.Name]+"Async", cfn.Resource{
		Type: "AWS::Lambda::EventInvokeConfig", DependsOn: slices.Compact(needed),
		Properties: map[string]any{
			"FunctionName": cfn.Ref(s.names[f.Name].Function), "Qualifier": Live, "DestinationConfig": destinations,
			"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": int(age / time.Second),
		},
	})
	return statements, nil
}

// unwaited reports whether nobody waits for what becomes of a source's events. Queues, streams and tables keep theirs.
func unwaited(uri string) bool {
	for _, start := range []string{"schedule:", aloft.Topic + ":", aloft.Bucket + ":"} {
		if strings.HasPrefix(uri, start) {
			return true
		}
	}
	return strings.HasPrefix(uri, "arn:") && strings.Contains(uri, ":sns:")
}

// destination is where the record of an event goes, and what the role needs for it: of a declared resource what an edge that sends
// has, with the key that encrypts it.
func (s *render) destination(f aloft.Function, text string) (arn any, needs []cfn.Statement, err error) {
	kind, name, _ := aloft.CutDestination(text)
	if kind == "function" {
		if _, ok := s.names[name]; !ok {
			return nil, nil, aloft.Errorf(aloft.Invalid, "%s sends events to %s, which does not run on AWS", f.Name, name).WithHint("name another destination")
		}
		arn = s.aliasARN(name)
		return arn, []cfn.Statement{{Action: []string{"lambda:InvokeFunction"}, Resource: arn}}, nil
	}
	if arn = s.arnOf(kind, name); arn == nil {
		return nil, nil, aloft.Errorf(aloft.Invalid, "%s sends events to %s, and the app declares no %s %s", f.Name, text, kind, name).
			WithHint("declare it in the resources section of aloft.yml")
	}
	one := s.stores[name]
	if main := one.rendered.Resources[one.id]; main.Properties["FifoQueue"] == true || main.Properties["FifoTopic"] == true {
		return nil, nil, aloft.Errorf(aloft.Invalid, "%s sends events to %s, which is FIFO, and AWS Lambda sends none there", f.Name, text).
			WithHint("name a queue or topic without fifo")
	}
	return arn, one.rendered.Access[aloft.EdgeSend], nil
}

// deadLetters adds the queue of a function's events that were given up, and returns its logical id. Its name is the
// function's: so aloft finds it.
func (s *render) deadLetters(f aloft.Function) string {
	id := s.prefix[f.Name] + "DeadLetters"
	properties := map[string]any{"QueueName": DeadLettersOf(s.names[f.Name].Lambda), "MessageRetentionPeriod": deadLetterDays * 24 * 60 * 60}
	if s.aws.KMSKey != "" {
		properties["KmsMasterKeyId"] = s.aws.KMSKey
	} else {
		properties["SqsManagedSseEnabled"] = true
	}
	s.put(id, cfn.Resource{Type: "AWS::SQS::Queue", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete", Properties: properties})
	s.dead = append(s.dead, id)
	return id
}

// DeadLettersOf is the physical name of the queue of events that a function gave up, by the function's physical name.
func DeadLettersOf(lambda string) string { return lambda + "-dead-letters" }

// recursion says whether events may run in circles; "" leaves it to AWS, which ends them.
func recursion(f aloft.Function) string {
	if f.Async != nil && strings.EqualFold(f.Async.Loops, aloft.LoopsAllowed) {
		return "Allow"
	}
	return ""
}
