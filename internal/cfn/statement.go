package cfn

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid       string         `json:",omitempty"`
	Effect    string         // "" means Allow
	Action    []string       // such as "s3:GetObject"
	Resource  any            // an ARN or a list of them
	Condition map[string]any `json:",omitempty"`

	Why string `json:"-"` // the edge that caused it: "web uses uploads:read"
}

// PolicyVersion is the version of IAM's policy language.
const PolicyVersion = "2012-10-17"

// Policy is a policy document of statements.
func Policy(statements ...Statement) map[string]any {
	all := make([]Statement, len(statements))
	for i, s := range statements {
		if s.Effect == "" {
			s.Effect = "Allow"
		}
		all[i] = s
	}
	return map[string]any{"Version": PolicyVersion, "Statement": all}
}

// Trust is the policy document that lets a service of AWS take a role, such as "lambda.amazonaws.com".
func Trust(service string) map[string]any {
	return map[string]any{"Version": PolicyVersion, "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole",
	}}}
}
