package foreign_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/foreign"
)

// TestRead: functions of one package are an app, others an app each; what has no words is left and says why.
func TestRead(t *testing.T) {
	t.Parallel()
	function := func(logical, runtime, digest string) foreign.Function {
		return foreign.Function{Logical: logical, Name: "x-" + logical, Handler: "a.b", Runtime: runtime, Digest: digest, Architecture: "arm64", Role: "arn:aws:iam::123456789012:role/x"}
	}
	image := function("Picture", "", "c")
	image.Image = true
	out := foreign.Read(foreign.Stack{
		Name: "Shop", Region: "eu-west-1",
		Functions: []foreign.Function{function("ListItemsFunction", "nodejs22.x", "a"), function("list-items", "nodejs22.x", "a"), function("Other", "python3.13", "b"), image, function("Old", "java21", "d")},
		Physical: map[string]foreign.Resource{
			"ListItemsFunction": {Type: "AWS::Lambda::Function", ID: "1"}, "Picture": {Type: "AWS::Lambda::Function", ID: "2"},
			"Old": {Type: "AWS::Lambda::Function", ID: "3"}, "Tick": {Type: "AWS::Events::Rule", ID: "4"}, "Data": {Type: "AWS::S3::Bucket", ID: "data"},
			"Url": {Type: "AWS::Lambda::Url", ID: "5"},
		},
		Template: cfn.Template{Resources: map[string]cfn.Resource{
			"Tick": {Type: "AWS::Events::Rule", Properties: map[string]any{"ScheduleExpression": "rate(1 hour)", "Targets": []any{map[string]any{"Arn": cfn.GetAtt("Other", "Arn")}}}},
			"Url":  {Type: "AWS::Lambda::Url", Properties: map[string]any{"TargetFunctionArn": cfn.Ref("Other")}},
		}},
	})
	if len(out.Apps) != 2 || out.Apps[0].Name != "shop-list-items" || out.Apps[1].Name != "shop-other" {
		t.Fatalf("apps: %+v", out.Apps)
	}
	if first := string(out.Apps[0].Manifest); !strings.Contains(first, "  list-items:\n") || !strings.Contains(first, "  list-items-2:\n") {
		t.Errorf("names are not told apart:\n%s", first)
	}
	second := string(out.Apps[1].Manifest)
	for _, want := range []string{"url: true", `# - "schedule:rate(1 hour)"`, "runtime: python3.13"} {
		if !strings.Contains(second, want) {
			t.Errorf("%s is missing in\n%s", want, second)
		}
	}
	left := strings.Join(out.Left, "\n")
	for _, want := range []string{"Picture (AWS::Lambda::Function): it is an image", "Old (AWS::Lambda::Function): what it was built from", "Data (AWS::S3::Bucket): it stays with the stack, as data"} {
		if !strings.Contains(left, want) {
			t.Errorf("%s is missing in\n%s", want, left)
		}
	}
	if imported := strings.Join(out.Imported, "\n"); !strings.Contains(imported, "Tick") || !strings.Contains(imported, "Url") {
		t.Errorf("imported: %s", imported)
	}
}
