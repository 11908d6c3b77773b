package terraform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/terraform"
	"github.com/aloft-run/aloft/internal/terraform/terraformtest"
)

// goldens are the templates that package stack makes, by name.
func goldens(t *testing.T) map[string]cfn.Template {
	t.Helper()
	files, err := filepath.Glob("../stack/testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d templates: %v", len(files), err)
	}
	all := map[string]cfn.Template{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var template cfn.Template
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&template); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = template
	}
	return all
}

func translate(t *testing.T, template cfn.Template) terraform.Output {
	t.Helper()
	out, err := terraform.Translate(terraform.Input{Template: template, Stack: "shop-production", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, dir string, out terraform.Output) {
	t.Helper()
	for name, text := range map[string][]byte{"main.tf": out.Main, "variables.tf": out.Variables, "outputs.tf": out.Outputs} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLogGroups: a policy names the streams of a log group, which the provider's ARN does not; an access log goes to the group.
func TestLogGroups(t *testing.T) {
	t.Parallel()
	group := cfn.GetAtt("Logs", "Arn")
	main := string(translate(t, cfn.Template{Resources: map[string]cfn.Resource{
		"Logs": {Type: "AWS::Logs::LogGroup", Properties: map[string]any{"LogGroupName": "/x"}},
		"Api":  {Type: "AWS::ApiGatewayV2::Api", Properties: map[string]any{"Name": "x", "ProtocolType": "HTTP"}},
		"Stage": {Type: "AWS::ApiGatewayV2::Stage", Properties: map[string]any{
			"ApiId": cfn.Ref("Api"), "StageName": "$default", "AccessLogSettings": map[string]any{"DestinationArn": group, "Format": "x"},
		}},
		"Role": {Type: "AWS::IAM::Role", Properties: map[string]any{
			"AssumeRolePolicyDocument": map[string]any{"Version": cfn.PolicyVersion},
			"Policies": []any{map[string]any{"PolicyName": "all", "PolicyDocument": map[string]any{
				"Version": cfn.PolicyVersion, "Statement": []any{map[string]any{"Effect": "Allow", "Action": []any{"logs:PutLogEvents"}, "Resource": group}},
			}}},
		}},
	}}).Main)
	for _, want := range []string{`"${aws_cloudwatch_log_group.logs.arn}:*"`, `destination_arn = aws_cloudwatch_log_group.logs.arn` + "\n"} {
		if !strings.Contains(main, want) {
			t.Errorf("there is no %s:\n%s", want, main)
		}
	}
}

// variable is what says that a configuration takes a value.
var variable = regexp.MustCompile(`variable "(\w+)"`)

// TestGolden: every template that aloft makes has a translation, which Terraform takes, in the form that terraform fmt gives it.
// Each is a module of one configuration: the provider takes seconds to start.
func TestGolden(t *testing.T) {
	t.Parallel()
	program, dir := terraformtest.New(t), t.TempDir()
	var all strings.Builder
	for name, template := range goldens(t) {
		for id, r := range template.Resources { // which the provider of the test knows
			if r.Properties["Runtime"] == "nodejs24.x" {
				r.Properties["Runtime"] = "nodejs22.x"
				template.Resources[id] = r
			}
		}
		out := translate(t, template)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), out)
		fmt.Fprintf(&all, "module %q {\n  source = \"./%s\"\n", name, name)
		for _, match := range variable.FindAllSubmatch(out.Variables, -1) {
			fmt.Fprintf(&all, "  %s = \"5\"\n", match[1])
		}
		all.WriteString("}\n")
	}
	if said, ok := program.Run(t, dir, nil, "fmt", "-check", "-diff", "-recursive"); !ok {
		t.Errorf("%s", said)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Must(t, dir, nil, "init", "-no-color")
	if said, ok := program.Run(t, dir, nil, "validate", "-no-color"); !ok {
		t.Errorf("%s", said)
	}
}
