package stack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// TestIDs: a resource has the logical id that the release says, and all that refers to it does by that; raw parts name it so.
func TestIDs(t *testing.T) {
	t.Parallel()
	in := stack.Input{
		Release: aloft.Release{
			StageRef: aloft.StageRef{App: "shop", Stage: "production"}, Version: 3, Artifact: aloft.Artifact{Digest: strings.Repeat("ab", 32)},
			AWS: &aloft.AWS{
				Regions: []string{"us-east-1"}, IDs: map[string]string{"Api": "Theirs", "WorkFunction": "Fn", "ApiStage": "Default"},
				CloudFormation: json.RawMessage(`{"Resources": {"Theirs": {"Properties": {"DisableExecuteApiEndpoint": true}}, "Api": {"Type": "AWS::SNS::Topic"}}}`),
			},
			Functions: []aloft.Function{{Name: "work", Kind: aloft.Handler, Handler: "a.b", Runtime: "python3.13", Routes: []string{"GET /a"}}},
		},
		Region: "us-east-1", Code: stack.Object{Bucket: "b", Key: "k"}, Shim: stack.Object{Bucket: "b", Key: "s"},
	}
	out, err := stack.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{`"Ref": "Api"`, `${Api}`, `"Ref": "WorkFunction"`, `"ApiStage"`, `"WorkFunction"`} {
		if strings.Contains(string(text), old) {
			t.Errorf("%s is left in\n%s", old, text)
		}
	}
	r := out.Template.Resources
	if r["Theirs"].Type != "AWS::ApiGatewayV2::Api" || r["Theirs"].Properties["DisableExecuteApiEndpoint"] != true || r["Api"].Type != "AWS::SNS::Topic" || r["Default"].Type != "AWS::ApiGatewayV2::Stage" {
		t.Errorf("%s", text)
	}
	if out.Functions["work"].Function != "Fn" {
		t.Errorf("%+v", out.Functions)
	}
	in.Release.AWS.IDs["WorkRole"] = "Theirs"
	if _, err := stack.Render(in); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "would be called Theirs") {
		t.Errorf("two of one id: %v", err)
	}
}
