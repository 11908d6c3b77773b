package stack

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// role adds the role of a function and returns its ARN: that of the role which the function names, if it names one.
func (s *render) role(f aloft.Function, l *aloft.Lambda, logs string) any {
	if l.Role != "" {
		return l.Role
	}
	statements := s.statements(f, logs)
	id := s.prefix[f.Name] + "Role"
	all := cfn.Policy(statements...)
	if list, ok := all["Statement"].([]cfn.Statement); ok && len(l.Policy) > 0 {
		own := make([]any, 0, len(list)+len(l.Policy))
		for _, one := range list {
			own = append(own, one)
		}
		for _, one := range l.Policy {
			own = append(own, one)
		}
		all["Statement"] = own
	}
	s.add(id, "AWS::IAM::Role", map[string]any{
		"Description":              "what " + f.Name + " of " + s.in.Release.String() + " may do",
		"AssumeRolePolicyDocument": cfn.Trust("lambda.amazonaws.com"),
		"Policies":                 []any{map[string]any{"PolicyName": "aloft", "PolicyDocument": all}},
	})
	for _, one := range statements {
		s.granted = append(s.granted, Granted{f.Name, one})
	}
	return cfn.GetAtt(id, "Arn")
}

// statements are what a function may do, and why.
func (s *render) statements(f aloft.Function, logs string) []cfn.Statement {
	all := []cfn.Statement{{
		Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: cfn.GetAtt(logs, "Arn"),
		Why: f.Name + " writes its log",
	}}
	return append(all, s.caused[f.Name]...)
}
