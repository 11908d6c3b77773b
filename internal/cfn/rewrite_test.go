package cfn_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
)

// TestRewrite: references lead elsewhere in all their forms, and what only looks like one stays.
func TestRewrite(t *testing.T) {
	t.Parallel()
	leads := func(id, attribute string) any {
		switch {
		case id == "Old" && attribute == "":
			return cfn.Ref("New")
		case id == "Old":
			return cfn.GetAtt("New", attribute)
		case id == "Gone":
			return "text"
		}
		return nil
	}
	for was, want := range map[string]string{
		`{"Ref":"Old"}`:                                             `{"Ref":"New"}`,
		`{"Ref":"Other"}`:                                           `{"Ref":"Other"}`,
		`{"Fn::GetAtt":["Old","Arn"]}`:                              `{"Fn::GetAtt":["New","Arn"]}`,
		`{"Fn::GetAtt":"Old.Endpoint.Port"}`:                        `{"Fn::GetAtt":["New","Endpoint.Port"]}`,
		`{"Fn::Sub":"a ${Old} ${ Old.Arn } $Old"}`:                  `{"Fn::Sub":"a ${New} ${New.Arn} $Old"}`,
		`{"Fn::Sub":"${!Old} ${AWS::Region}"}`:                      `{"Fn::Sub":"${!Old} ${AWS::Region}"}`,
		`{"Fn::Sub":"${Gone}/x"}`:                                   `{"Fn::Sub":"text/x"}`,
		`{"Fn::Sub":["${Old} ${X}",{"Old":1,"X":{"Ref":"Old"}}]}`:   `{"Fn::Sub":["${Old} ${X}",{"Old":1,"X":{"Ref":"New"}}]}`,
		`{"a":[{"Fn::Join":["",["x",{"Ref":"Old"}]]}],"Ref":"Old"}`: `{"Ref":"Old","a":[{"Fn::Join":["",["x",{"Ref":"New"}]]}]}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(was), &value); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(cfn.Rewrite(value, leads))
		if err != nil || string(got) != want {
			t.Errorf("%s became %s, not %s (%v)", was, got, want, err)
		}
	}
	value := map[string]any{"a": map[string]any{"Fn::Sub": "${B.Arn} ${AWS::Region}"}, "c": map[string]any{"Ref": "A"}}
	if got := cfn.References(value); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("references: %q", got)
	}
}
