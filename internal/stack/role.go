package stack

import (
	"encoding/json"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// addRole adds the role of a function and returns its ARN: that of the role which the function names, if it names one.
func (s *render) addRole(f aloft.Function, statements []cfn.Statement) (any, error) {
	var own []json.RawMessage
	if f.Lambda != nil {
		if f.Lambda.Role != "" {
			return f.Lambda.Role, nil
		}
		own = f.Lambda.Policy
	}
	written, err := ownStatements(f, own)
	if err != nil {
		return nil, err
	}
	statements = append(statements, written...)
	if err := fitsRole(f, statements); err != nil {
		return nil, err
	}
	id := s.prefix[f.Name] + "Role"
	s.add(id, roleType, map[string]any{
		"Description":              "what " + f.Name + " of " + s.in.Release.String() + " may do",
		"AssumeRolePolicyDocument": cfn.Trust("lambda.amazonaws.com"),
		"Policies":                 []any{map[string]any{"PolicyName": "aloft", "PolicyDocument": cfn.Policy(statements...)}},
	})
	return cfn.GetAtt(id, "Arn"), nil
}

// maxPolicy is how many bytes the policies inside of a role may have, white space left out.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxPolicy = 10240

func fitsRole(f aloft.Function, statements []cfn.Statement) error {
	text, err := json.Marshal(cfn.Policy(statements...))
	if err != nil {
		return aloft.Errorf(aloft.Invalid, "the statements of %s: %w", f.Name, err)
	}
	if len(text) > maxPolicy {
		return aloft.Errorf(aloft.Invalid, "what %s may do takes %d bytes, and a role of IAM has room for %d", f.Name, len(text), maxPolicy).
			WithHint("split it into functions that use less each, or give it a role of your own: functions.%s.lambda.role", f.Name)
	}
	return nil
}

// statements are what a function may do, and why.
func (s *render) statements(f aloft.Function, logs string) ([]cfn.Statement, error) {
	all := []cfn.Statement{{
		Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: cfn.GetAtt(logs, "Arn"),
		Why: f.Name + " writes its log",
	}}
	if s.aws.Tracing { // X-Ray knows no resources
		all = append(all, cfn.Statement{
			Action: []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, Resource: "*", Why: f.Name + " is traced (tracing: true)",
		})
	}
	if s.aws.VPC != nil { // Lambda asks for these before it knows the interface: any narrower resource is refused
		all = append(all, cfn.Statement{
			Action: []string{
				"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
				"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
			},
			Resource: "*", Why: f.Name + " has addresses in the VPC (vpc)",
		})
	}
	all = append(all, s.secretStatements(f)...)
	edges, err := s.edges(f)
	if err != nil {
		return nil, err
	}
	for _, e := range edges {
		all = append(all, because(f.Name+" uses "+e.String(), e.store.rendered.Access[e.Word])...)
	}
	all = append(all, s.caused[f.Name]...)
	async, err := s.addAsync(f)
	return append(all, async...), err
}

// secretStatements let the shim read the config, and Lambda what the stage's own key encrypts.
func (s *render) secretStatements(f aloft.Function) []cfn.Statement {
	var all []cfn.Statement
	if secret := s.in.Config.Secret; secret != "" && len(s.in.Config.Variables[f.Name]) > 0 {
		arn := any(secret)
		if !strings.HasPrefix(secret, "arn:") { // AWS adds six characters of its own to the name
			arn = cfn.Sub("arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:" + secret + "-??????")
		}
		all = append(all, cfn.Statement{
			Action: []string{"secretsmanager:GetSecretValue"}, Resource: arn, Why: "the config of " + f.Name + " is in a secret",
		})
	}
	if s.aws.KMSKey != "" {
		all = append(all, cfn.Statement{
			Action: []string{"kms:Decrypt"}, Resource: s.aws.KMSKey, Why: "the variables of " + f.Name + " are encrypted with this key (kmsKey)",
		})
	}
	return all
}

// ownStatements are those that the function's source gives itself.
func ownStatements(f aloft.Function, policy []json.RawMessage) ([]cfn.Statement, error) {
	var all []cfn.Statement
	for i, text := range policy {
		one, err := cfn.ReadStatement(text)
		if err != nil {
			return nil, aloft.Errorf(aloft.Invalid, "functions.%s.lambda.policy[%d]: %w", f.Name, i, err).
				WithHint(`a statement is such as {"Action": "ses:SendEmail", "Resource": "arn:aws:ses:us-east-1:123456789012:identity/example.com"}`)
		}
		one.Why = f.Name + " asks for it (lambda.policy)"
		all = append(all, one)
	}
	return all, nil
}
