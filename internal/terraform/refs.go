package terraform

import (
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// ref is what Ref gives: of a parameter its variable, of a resource what names it.
func (t *translation) ref(id string) (any, error) {
	if found, ok := t.pseudo(id); ok {
		return found, nil
	}
	if _, ok := t.template.Parameters[id]; ok {
		return raw("var." + Variable(id)), nil
	}
	return t.attribute(id, "")
}

// pseudo are CloudFormation's own parameters.
func (t *translation) pseudo(id string) (any, bool) {
	look := func(kind, attribute string) any { return raw(t.lookUp(kind, "current").address() + "." + attribute) }
	switch id {
	case cfn.Region:
		return look("aws_region", "id"), true
	case cfn.Account:
		return look("aws_caller_identity", "account_id"), true
	case cfn.Partition:
		return look("aws_partition", "partition"), true
	case "AWS::URLSuffix":
		return look("aws_partition", "dns_suffix"), true
	case cfn.StackName:
		return t.in.Stack, true
	}
	return nil, false
}

// attribute is an attribute of a resource; "" is what Ref gives.
func (t *translation) attribute(id, attribute string) (any, error) {
	r, ok := t.template.Resources[id]
	if !ok {
		return nil, aloft.Errorf(aloft.Invalid, "%s refers to %s, which the template does not have", t.now, id).WithHint("look at the section cloudformation")
	}
	if r.Type == "AWS::IAM::Role" {
		t.roles[id] = true
	}
	if _, stays := t.stacks[id]; stays {
		return raw("aws_cloudformation_stack." + t.names[id] + ".outputs." + stackOutput(attribute)), nil
	}
	k, known := t.kind(id)
	if !known {
		return nil, &missing{id: id}
	}
	if r.Type == "AWS::Lambda::Version" {
		return t.version(id, attribute)
	}
	name, known := k.attributes[attribute]
	switch {
	case !known && solid(r.Type):
		return nil, t.refuse("a reference to " + strings.TrimSuffix(id+"."+attribute, "."))
	case !known:
		return nil, &missing{id: id, property: "the attribute " + attribute}
	}
	if r.Type == "AWS::Logs::LogGroup" && attribute == "Arn" { // CloudFormation's ends so, and policies need it; the provider's does not
		return mixed{raw(k.name + "." + t.names[id] + "." + name), everyStream}, nil
	}
	if k.from != "" {
		return raw(k.from + "." + t.names[id] + "." + name), nil
	}
	return raw(k.name + "." + t.names[id] + "." + name), nil
}

// everyStream is what an ARN of a log group has behind it where it stands for the streams.
const everyStream = ":*"

// groupARN is an argument that is the ARN of a log group itself.
func groupARN(name string) field {
	return func(t *translation, to *body, v any) error {
		made, err := t.value(v)
		if pieces, is := made.(mixed); is && len(pieces) == 2 && pieces[1] == everyStream {
			made = pieces[0]
		}
		to.set(name, made)
		return err
	}
}

// version is an attribute of a version of a function, which Terraform has as one of the function.
func (t *translation) version(id, attribute string) (any, error) {
	function, _ := t.template.Resources[id].Properties["FunctionName"].(map[string]any)
	of, _ := function["Ref"].(string)
	if t.template.Resources[of].Type != "AWS::Lambda::Function" {
		return nil, t.refuse("a version of a function that is not in the template")
	}
	name := map[string]string{"": "qualified_arn", "FunctionArn": "qualified_arn", "Version": "version"}[attribute]
	if name == "" {
		return nil, t.refuse("a reference to " + id + "." + attribute)
	}
	return raw("aws_lambda_function." + t.names[of] + "." + name), nil
}

// function are the name of a function and its qualifier, of which AWS's API wants each alone, from what the template has: the
// function or an alias of it. The qualifier is nil for the function itself.
func (t *translation) function(v any) (name, qualifier any, err error) {
	object, _ := v.(map[string]any)
	id, _ := object["Ref"].(string)
	switch r := t.template.Resources[id]; r.Type {
	case "AWS::Lambda::Alias":
		name, _, err = t.function(r.Properties["FunctionName"])
		return name, raw("aws_lambda_alias." + t.names[id] + ".name"), err
	case "AWS::Lambda::Version":
		name, _, err = t.function(r.Properties["FunctionName"])
		if err == nil {
			qualifier, err = t.version(id, "Version")
		}
		return name, qualifier, err
	}
	name, err = t.value(v)
	return name, nil, err
}

// secretField is a field of a secret that the template has.
func (t *translation) secretField(id, field string) (any, error) {
	if t.template.Resources[id].Type != "AWS::SecretsManager::Secret" || t.stacks[id] != "" {
		return nil, t.refuse("a dynamic reference to " + id)
	}
	return raw("jsondecode(aws_secretsmanager_secret_version." + t.names[id] + ".secret_string)." + field), nil
}
