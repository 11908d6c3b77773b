package foreign_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/foreign"
)

func TestToJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"A: !Ref Table":                            `{"A":{"Ref":"Table"}}`,
		"A: !GetAtt Table.Arn":                     `{"A":{"Fn::GetAtt":["Table","Arn"]}}`,
		"A: !GetAtt Nested.Outputs.Name":           `{"A":{"Fn::GetAtt":["Nested","Outputs.Name"]}}`,
		"A: !GetAtt [Table, Arn]":                  `{"A":{"Fn::GetAtt":["Table","Arn"]}}`,
		"A: !Sub '${Table}-x'":                     `{"A":{"Fn::Sub":"${Table}-x"}}`,
		"A: !Join ['-', [a, !Ref B]]":              `{"A":{"Fn::Join":["-",["a",{"Ref":"B"}]]}}`,
		"A: !If [Live, !Ref B, !Ref AWS::NoValue]": `{"A":{"Fn::If":["Live",{"Ref":"B"},{"Ref":"AWS::NoValue"}]}}`,
		"A: !And [!Condition B, !Equals [a, b]]":   `{"A":{"Fn::And":[{"Condition":"B"},{"Fn::Equals":["a","b"]}]}}`,
		"A: !Sub\n  - '${X}'\n  - {X: !Ref B}":     `{"A":{"Fn::Sub":["${X}",{"X":{"Ref":"B"}}]}}`,
		"A: {Fn::Base64: !Sub x}":                  `{"A":{"Fn::Base64":{"Fn::Sub":"x"}}}`,
		"Version: 2012-10-17":                      `{"Version":"2012-10-17"}`,
		"A: 012345678901":                          `{"A":"012345678901"}`,
		"A: 123456789012":                          `{"A":123456789012}`,
		"A: [1.50, -3, 1e3, 0x10, 08:30]":          `{"A":[1.50,-3,"1e3","0x10","08:30"]}`,
		"A: [yes, 'yes', off, true, ~, '']":        `{"A":[true,"yes",false,true,null,""]}`,
		"A: |\n  two\n  lines\n":                   `{"A":"two\nlines\n"}`,
		"on: {404: x}":                             `{"on":{"404":"x"}}`,
		`{"A": "as it is"}`:                        `{"A": "as it is"}`,
	}
	for text, want := range tests {
		got, err := foreign.ToJSON([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s\n is %s (%v)\nnot %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"A: &x {B: 1}\nC: *x": "line 2",
		"just words":          "neither JSON nor YAML",
		"A: [":                "neither JSON nor YAML",
		"":                    "neither JSON nor YAML",
	} {
		if got, err := foreign.ToJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}
