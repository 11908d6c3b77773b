package terraform_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/terraform"
)

func of(resources map[string]cfn.Resource) cfn.Template { return cfn.Template{Resources: resources} }

// TestStaysAStack: what the provider does not have is kept as it is, and others refer to it.
func TestStaysAStack(t *testing.T) {
	t.Parallel()
	out := translate(t, of(map[string]cfn.Resource{
		"Jobs": {Type: "AWS::SQS::Queue", DeletionPolicy: "Retain", Properties: map[string]any{"QueueName": "jobs", "NewThing": 5}},
		"Hub":  {Type: "AWS::IoT::Thing", Properties: map[string]any{"ThingName": cfn.GetAtt("Jobs", "QueueName")}},
		"Param": {Type: "AWS::SSM::Parameter", Properties: map[string]any{
			"Value": cfn.Sub("${Hub} of ${Jobs.Arn} ${!literally} %{x}"), "Type": "String",
		}},
	}))
	if len(out.Stacks) != 3 || out.Stacks["Jobs"] != "the provider does not have NewThing" || out.Stacks["Hub"] != "its type has no translation" {
		t.Errorf("stacks: %v", out.Stacks)
	}
	for _, want := range []string{
		`ThingName = aws_cloudformation_stack.jobs.outputs.QueueName`, `prevent_destroy = true`,
		`"${aws_cloudformation_stack.hub.outputs.Ref} of ${aws_cloudformation_stack.jobs.outputs.Arn} $${literally} %%{x}"`,
		`"Fn::GetAtt" = ["Jobs", "Arn"]`,
	} {
		if !strings.Contains(string(out.Main), want) {
			t.Errorf("%s is missing in\n%s", want, out.Main)
		}
	}
}

// TestRefused: what has no translation is refused by its name, never dropped.
func TestRefused(t *testing.T) {
	t.Parallel()
	function := func(properties map[string]any) cfn.Template {
		return of(map[string]cfn.Resource{"Web": {Type: "AWS::Lambda::Function", Properties: properties}})
	}
	for want, template := range map[string]cfn.Template{
		"Web (AWS::Lambda::Function) has the property VpcConfig.NewThing": function(map[string]any{"VpcConfig": map[string]any{"NewThing": 1}}),
		"Web has Fn::If":                      function(map[string]any{"Timeout": map[string]any{"Fn::If": []any{"Big", 1, 2}}}),
		"Web refers to Gone":                  function(map[string]any{"Role": cfn.GetAtt("Gone", "Arn")}),
		"dynamic reference":                   function(map[string]any{"Description": "{{resolve:ssm:/x}}"}),
		"cloudformation has Conditions":       {Conditions: map[string]any{"Big": true}, Resources: map[string]cfn.Resource{}},
		"the parameter List is a CommaDelimi": {Parameters: map[string]cfn.Parameter{"List": {Type: "CommaDelimitedList"}}},
	} {
		_, err := terraform.Translate(terraform.Input{Template: template, Stack: "s", Region: "us-east-1"})
		if aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestLargeCode: a zip that is too large for a request goes by a bucket.
func TestLargeCode(t *testing.T) {
	t.Parallel()
	template := of(map[string]cfn.Resource{"Web": {Type: "AWS::Lambda::Function", Properties: map[string]any{
		"FunctionName": "web", "Code": map[string]any{"S3Bucket": "b", "S3Key": "big.zip"},
	}}})
	for size, want := range map[int64]string{1: `filename`, 51 << 20: `s3_key           = aws_s3_object.code_`} {
		out, err := terraform.Translate(terraform.Input{
			Template: template, Stack: "s", Region: "us-east-1", Files: map[string]terraform.File{"big.zip": {Path: "code/big.zip", Size: size}},
		})
		if err != nil || !strings.Contains(string(out.Main), want) || !strings.Contains(string(out.Main), `filebase64sha256("${path.module}/code/big.zip")`) {
			t.Errorf("%d bytes: %v\n%s", size, err, out.Main)
		}
	}
}
