package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aloft-run/aloft/internal/cfn"
)

// Granted is what a role of the stack may do, as the final template says it.
type Granted struct {
	Role     string // its logical id
	Function string // whose role it is; "" if it is no function's. A role of several functions is there for each
	Service  string // which takes it, such as "scheduler.amazonaws.com"; "" if that is not one service
	Policy   string // in place of a statement a policy that is attached: its ARN, for people. Its statements are not known here
	Text     string // the statement as the template has it: JSON with its keys sorted
	cfn.Statement
}

// fromSection is why roles have what the section cloudformation gives them.
const fromSection = "the section cloudformation of aloft.yml"

// holding is a statement of a role, or a policy that is attached to it.
type holding struct{ role, text, policy string }

const roleType = "AWS::IAM::Role"

// noteReasons keeps why each statement of each role is there, in order, while the template still has them as they were made.
func (s *render) noteReasons() error {
	s.reasons = map[string][]string{}
	for id, r := range s.template.Resources {
		if r.Type != roleType {
			continue
		}
		called := s.aws.IDOf(id)
		policies, _ := r.Properties["Policies"].([]any)
		for _, p := range policies {
			policy, _ := p.(map[string]any)
			document, _ := policy["PolicyDocument"].(map[string]any)
			statements, _ := document["Statement"].([]cfn.Statement)
			for _, one := range because(s.roleFor[id], statements) {
				s.reasons[called] = append(s.reasons[called], one.Why)
			}
		}
	}
	return nil
}

// pairReasons finds the statements that the reasons are of, as text, before the section cloudformation changes them.
func (s *render) pairReasons() error {
	s.because = map[holding][]string{}
	all, err := holdings(s.template)
	next := map[string]int{}
	for _, h := range all {
		if reasons := s.reasons[h.role]; next[h.role] < len(reasons) {
			s.because[h] = append(s.because[h], reasons[next[h.role]])
			next[h.role]++
		}
	}
	return err
}

// grant lists what the roles of the final template may do.
func (s *render) grant() error {
	all, err := holdings(s.template)
	if err != nil {
		return err
	}
	owners, err := s.owners()
	if err != nil {
		return err
	}
	for _, h := range all {
		g := Granted{Role: h.role, Policy: h.policy, Text: h.text, Service: serviceOf(s.template.Resources[h.role])}
		if h.policy == "" {
			g.Statement = read(h.text)
		}
		g.Why = fromSection
		if left := s.because[h]; len(left) > 0 {
			g.Why, s.because[h] = left[0], left[1:]
		}
		for _, g.Function = range owners[h.role] {
			s.granted = append(s.granted, g)
		}
		if len(owners[h.role]) == 0 {
			s.granted = append(s.granted, g)
		}
	}
	return nil
}

// read is a statement by its text. One that is made by a function of CloudFormation stands as it is, in place of its actions.
func read(text string) cfn.Statement {
	one, err := cfn.ReadStatement([]byte(text))
	if err != nil {
		return cfn.Statement{Action: []string{text}}
	}
	return one
}

// owners are the functions whose roles the template has, by role. It notes the roles of others.
func (s *render) owners() (map[string][]string, error) {
	all := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(s.names)) {
		properties, err := plain(s.template.Resources[s.names[name].Function].Properties)
		if err != nil {
			return nil, err
		}
		role, _ := properties["Role"].(map[string]any)
		if id, _, is := cfn.Referred(role); is && s.template.Resources[id].Type == roleType {
			all[id] = append(all[id], name)
			continue
		}
		names := s.names[name]
		names.Role = cfn.Text(properties["Role"])
		s.names[name] = names
	}
	return all, nil
}

// holdings are all statements and policies of all roles of a template, of each role in the order that they stand there.
func holdings(t cfn.Template) ([]holding, error) {
	var all []holding
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		switch r.Type {
		case roleType, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy":
		default:
			continue
		}
		properties, err := plain(r.Properties)
		if err != nil {
			return nil, err
		}
		if r.Type == roleType {
			for _, policy := range list(properties["Policies"]) {
				all = append(all, statementsOf(id, policy)...)
			}
			for _, arn := range list(properties["ManagedPolicyArns"]) {
				all = append(all, holding{role: id, policy: cfn.Text(arn)})
			}
			continue
		}
		for _, to := range append(list(properties["Roles"]), list(properties["RoleName"])...) {
			all = append(all, statementsOf(roleOf(to), properties)...)
		}
	}
	return all, nil
}

// roleOf is the logical id of a role that is referred to, or for people which other one it is.
func roleOf(value any) string {
	if ref, is := value.(map[string]any); is {
		if id, _, known := cfn.Referred(ref); known {
			return id
		}
	}
	return cfn.Text(value)
}

// statementsOf are those of a policy with a document. What is made by a function of CloudFormation is one, as it stands.
func statementsOf(role string, policy any) []holding {
	within := func(value any, key string) any {
		if object, is := value.(map[string]any); is && object[key] != nil {
			return object[key]
		}
		return value
	}
	var all []holding
	for _, one := range list(within(within(policy, "PolicyDocument"), "Statement")) {
		if text, err := json.Marshal(one); err == nil { // it was read from JSON
			all = append(all, holding{role: role, text: string(text)})
		}
	}
	return all
}

// serviceOf is the service that takes a role.
func serviceOf(role cfn.Resource) string {
	properties, err := plain(role.Properties)
	if err != nil {
		return ""
	}
	document, _ := properties["AssumeRolePolicyDocument"].(map[string]any)
	for _, one := range list(document["Statement"]) {
		statement, _ := one.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		if service, is := principal["Service"].(string); is {
			return service
		}
	}
	return ""
}

// plain are properties as JSON is decoded.
func plain(properties map[string]any) (map[string]any, error) {
	text, err := json.Marshal(properties)
	if err != nil {
		return nil, fmt.Errorf("write properties: %w", err)
	}
	var all map[string]any
	if err := decode(text, &all); err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	return all, nil
}

// list is one value or several.
func list(value any) []any {
	if all, is := value.([]any); is || value == nil {
		return all
	}
	return []any{value}
}
