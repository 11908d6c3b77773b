package cfndiff_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cfndiff"
)

func table(name string, keys ...string) cfn.Resource {
	var schema []any
	for _, key := range keys {
		schema = append(schema, map[string]any{"AttributeName": key})
	}
	return cfn.Resource{
		Type: "AWS::DynamoDB::Table", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain",
		Properties: map[string]any{"TableName": name, "KeySchema": schema},
	}
}

func function(properties map[string]any) cfn.Resource {
	return cfn.Resource{Type: "AWS::Lambda::Function", Properties: properties}
}

func TestCompare(t *testing.T) {
	queue := cfn.Resource{Type: "AWS::SQS::Queue", Properties: map[string]any{"FifoQueue": true}}
	for name, c := range map[string]struct {
		before, after cfn.Resource // the zero Resource is none
		want          string       // of the change, in JSON; "" is none
		loss          string
	}{
		"equal":     {table("t", "id"), table("t", "id"), "", ""},
		"added":     {cfn.Resource{}, table("t", "id"), `{"action":"add","id":"X","type":"AWS::DynamoDB::Table","name":"t"}`, ""},
		"removed":   {function(nil), cfn.Resource{}, `{"action":"remove","id":"X","type":"AWS::Lambda::Function"}`, "eu: X (AWS::Lambda::Function) is deleted"},
		"retained":  {table("t", "id"), cfn.Resource{}, `{"action":"remove","id":"X","type":"AWS::DynamoDB::Table","name":"t","kept":"whole"}`, "eu: X (AWS::DynamoDB::Table, t) stays, no longer managed"},
		"in place":  {function(map[string]any{"MemorySize": 128}), function(map[string]any{"MemorySize": 256}), `{"action":"modify","id":"X","type":"AWS::Lambda::Function","properties":["MemorySize"]}`, ""},
		"an equal":  {function(map[string]any{"MemorySize": 128}), function(map[string]any{"MemorySize": 128.0}), "", ""},
		"replaced":  {queue, cfn.Resource{Type: "AWS::SQS::Queue"}, `{"action":"modify","id":"X","type":"AWS::SQS::Queue","replace":"always","properties":["FifoQueue"],"causes":["FifoQueue"]}`, "eu: X (AWS::SQS::Queue) is replaced by a new one because of FifoQueue"},
		"key":       {table("t", "id"), table("t", "name"), `{"action":"modify","id":"X","type":"AWS::DynamoDB::Table","name":"t","replace":"maybe","properties":["KeySchema"],"causes":["KeySchema"],"kept":"whole","refused":true}`, "eu: X (AWS::DynamoDB::Table, t) may be replaced by a new one because of KeySchema; the old one stays, no longer managed; CloudFormation refuses that as long as its name stays the same"},
		"renamed":   {table("t", "id"), table("u", "id"), `{"action":"modify","id":"X","type":"AWS::DynamoDB::Table","name":"u","replace":"always","properties":["TableName"],"causes":["TableName"],"kept":"whole"}`, "eu: X (AWS::DynamoDB::Table, u) is replaced by a new one because of TableName; the old one stays, no longer managed"},
		"retyped":   {queue, function(nil), `{"action":"modify","id":"X","type":"AWS::Lambda::Function","was":"AWS::SQS::Queue","replace":"always","properties":["FifoQueue"],"causes":["Type"],"refused":true}`, "eu: X (AWS::Lambda::Function) would take the place of AWS::SQS::Queue; CloudFormation refuses another type under the same logical id"},
		"a part":    {cfn.Resource{Type: "AWS::Lambda::Version"}, cfn.Resource{Type: "AWS::Lambda::Alias"}, `{"action":"modify","id":"X","type":"AWS::Lambda::Alias","was":"AWS::Lambda::Version","replace":"always","causes":["Type"],"refused":true,"part":true}`, "eu: X (AWS::Lambda::Alias) would take the place of AWS::Lambda::Version; CloudFormation refuses another type under the same logical id"},
		"part":      {cfn.Resource{Type: "AWS::Lambda::Version", DeletionPolicy: "Retain"}, cfn.Resource{}, `{"action":"remove","id":"X","type":"AWS::Lambda::Version","kept":"whole","part":true}`, ""},
		"unknown":   {cfn.Resource{Type: "Some::Thing", Properties: map[string]any{"A": 1}}, cfn.Resource{Type: "Some::Thing", Properties: map[string]any{"A": 2}}, `{"action":"modify","id":"X","type":"Some::Thing","replace":"maybe","properties":["A"]}`, "eu: X (Some::Thing) may be replaced by a new one"},
		"policy":    {table("t", "id"), func() cfn.Resource { r := table("t", "id"); r.DeletionPolicy = "Delete"; return r }(), `{"action":"modify","id":"X","type":"AWS::DynamoDB::Table","name":"t","properties":["DeletionPolicy"]}`, ""},
		"deep path": {function(map[string]any{"TenancyConfig": map[string]any{"A": 1}}), function(map[string]any{"TenancyConfig": map[string]any{"A": 2}}), `{"action":"modify","id":"X","type":"AWS::Lambda::Function","replace":"always","properties":["TenancyConfig"],"causes":["TenancyConfig"]}`, "eu: X (AWS::Lambda::Function) is replaced by a new one because of TenancyConfig"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := cfndiff.Compare(template(c.before), template(c.after))
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			if len(got) > 0 {
				raw, _ := json.Marshal(got[0])
				text = string(raw)
			}
			if text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
			plan := aloft.Plan{Preview: &aloft.Preview{Regions: []aloft.RegionPreview{{Region: "eu", Resources: got}}}}
			said := ""
			for _, l := range plan.Losses() {
				said += l.String()
			}
			if said != c.loss {
				t.Errorf("says %q\nnot  %q", said, c.loss)
			}
		})
	}
}

func template(r cfn.Resource) cfn.Template {
	if r.Type == "" {
		return cfn.Template{}
	}
	return cfn.Template{Resources: map[string]cfn.Resource{"X": r}}
}

// TestTypes holds that the table has every type that our packages render.
func TestTypes(t *testing.T) {
	known, err := cfndiff.Replacements()
	if err != nil || !regexp.MustCompile(`^20\d\d-\d\d-\d\d$`).MatchString(known.Date) || known.Source == "" {
		t.Fatalf("%q %q, %v", known.Date, known.Source, err)
	}
	out, err := exec.Command("grep", "-rhoE", "--include=*.go", "--exclude=*_test.go", `"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+"`, filepath.Join("..", "stack"), filepath.Join("..", "resource"), filepath.Join("..", "eventsource")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for kind := range strings.FieldsSeq(string(out)) {
		if kind = strings.Trim(kind, `"`); kind != "AWS::EC2::NetworkInterface" && len(known.Types[kind].Always)+len(known.Types[kind].Maybe) == 0 {
			if _, has := known.Types[kind]; !has {
				t.Errorf("the table lacks %s: add it to tools/replacements.py and run go generate", kind)
			}
		}
	}
}
