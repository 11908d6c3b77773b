package cfn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
)

func TestReadStatement(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"Action": "s3:GetObject", "Resource": "a"}`:                      `{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"a"}`,
		`{"Effect": "Deny", "NotAction": ["a:B"], "Resource": ["a", "b"]}`: `{"Effect":"Deny","NotAction":["a:B"],"Resource":["a","b"]}`,
		`{"Action": ["a:B"], "NotResource": "a", "Condition": {"x": {}}}`:  `{"Effect":"Allow","Action":["a:B"],"NotResource":"a","Condition":{"x":{}}}`,
	} {
		s, err := cfn.ReadStatement([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		all, _ := cfn.Policy(s)["Statement"].([]cfn.Statement)
		if got, err := json.Marshal(all[0]); err != nil || string(got) != want {
			t.Errorf("%s became %s (%v)", text, got, err)
		}
	}
	for text, says := range map[string]string{
		`{"Action": "a:B"}`:  "Resource",
		`{"Resource": "a"}`:  "Action",
		`{"Action": 1}`:      "no statement",
		`{"Principal": "*"}`: "Principal",
		`"s3:GetObject"`:     "no statement",
		`{"Action": "a:B", "Resource": "a", "Effect": "Maybe"}`: "Maybe",
	} {
		if _, err := cfn.ReadStatement([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %s", text, err, says)
		}
	}
}
