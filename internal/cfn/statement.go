package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid         string         `json:",omitempty"`
	Effect      string         // "" means Allow
	Action      []string       `json:",omitempty"` // such as "s3:GetObject"
	NotAction   []string       `json:",omitempty"` // of statements that somebody wrote; ours name what they allow
	Resource    any            `json:",omitempty"` // an ARN or a list of them
	NotResource any            `json:",omitempty"`
	Condition   map[string]any `json:",omitempty"`

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

// ReadStatement reads a statement that somebody wrote. A single action need not be a list. It returns an error that says what is
// wrong for what is no statement of an identity's policy.
func ReadStatement(text []byte) (Statement, error) {
	var s struct {
		Statement
		Action, NotAction actions
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Statement{}, fmt.Errorf("it is no statement of IAM: %w", err)
	}
	all := s.Statement
	all.Action, all.NotAction = s.Action, s.NotAction
	switch {
	case (len(all.Action) == 0) == (len(all.NotAction) == 0):
		return Statement{}, errors.New("it has to have either Action or NotAction")
	case (all.Resource == nil) == (all.NotResource == nil):
		return Statement{}, errors.New("it has to have either Resource or NotResource")
	case all.Effect != "" && all.Effect != "Allow" && all.Effect != "Deny":
		return Statement{}, fmt.Errorf("its Effect is %q, not Allow or Deny", all.Effect)
	}
	return all, nil
}

// actions are one or several.
type actions []string

// UnmarshalJSON reads a text or a list of them.
func (a *actions) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = actions{one}
		return nil
	}
	var all []string
	err := json.Unmarshal(text, &all)
	*a = all
	return err
}

// Trust is the policy document that lets a service of AWS take a role, such as "lambda.amazonaws.com".
func Trust(service string) map[string]any {
	return map[string]any{"Version": PolicyVersion, "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole",
	}}}
}

// TrustOwn lets a service take a role on for resources of this account only: the service acts for other accounts too.
func TrustOwn(service string) map[string]any {
	return map[string]any{"Version": PolicyVersion, "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole",
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": Ref(Account)}},
	}}}
}
