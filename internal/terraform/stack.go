package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// asStack keeps a resource in CloudFormation, in a stack of its own that tells what others refer to.
func (t *translation) asStack(id string, r cfn.Resource) error {
	properties, err := t.value(r.Properties)
	if err != nil {
		return err
	}
	resource := map[string]any{"Type": r.Type, "Properties": properties}
	if r.DeletionPolicy != "" {
		resource["DeletionPolicy"], resource["UpdateReplacePolicy"] = r.DeletionPolicy, r.UpdateReplacePolicy
	}
	template := map[string]any{"AWSTemplateFormatVersion": "2010-09-09", "Resources": map[string]any{id: resource}}
	outputs := map[string]any{}
	for _, attribute := range slices.Sorted(maps.Keys(t.uses[id])) {
		value := cfn.Ref(id)
		if attribute != "" {
			value = map[string]any{"Fn::GetAtt": []any{id, attribute}}
		}
		outputs[stackOutput(attribute)] = map[string]any{"Value": value}
	}
	if len(outputs) > 0 {
		template["Outputs"] = outputs
	}
	s := t.add("aws_cloudformation_stack", t.names[id])
	s.body.set("name", cfn.Shorten(t.in.Stack+"-"+id, 128))
	s.body.set("template_body", encoded{template})
	if strings.HasPrefix(r.Type, "AWS::IAM::") {
		s.body.set("capabilities", []any{"CAPABILITY_NAMED_IAM"})
	}
	t.keep(s, r)
	return nil
}

// stackOutput is the output of such a stack for an attribute; "" is what Ref gives.
func stackOutput(attribute string) string {
	if attribute == "" {
		return "Ref"
	}
	return strings.ReplaceAll(attribute, ".", "")
}
