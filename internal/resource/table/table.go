// Package table is the kind of resources that hold items under keys: DynamoDB. It is a kind of stacks only: this machine has
// no such store.
package table

import (
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// The options of a table.
const (
	keyOption  = "key"  // the attribute that items are found by, "id" or "id:number"
	sortOption = "sort" // the one by which items of a key are in order; "" is none
	ttlOption  = "ttl"  // the attribute with the second since 1970 after which an item goes away
)

const defaultKey = "id"

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Table }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	if err := resource.Options(aloft.Table, options, keyOption, sortOption, ttlOption, resource.VariableOption); err != nil {
		return err
	}
	if _, err := keysOf(options); err != nil {
		return err
	}
	if ttl := options[ttlOption]; ttl != "" && !attributeName.MatchString(ttl) {
		return aloft.Errorf(aloft.Invalid, "ttl is %q; expected the name of an attribute", ttl)
	}
	return resource.CheckVariable(options)
}

// attribute is a part of a table's key.
type attribute struct{ name, kind, role string }

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,255}$`)

// keysOf are the parts of the key, in order.
func keysOf(options map[string]string) ([]attribute, error) {
	kinds := map[string]string{"": "S", "string": "S", "number": "N", "binary": "B"}
	var all []attribute
	for _, part := range []struct{ option, role, def string }{{keyOption, "HASH", defaultKey}, {sortOption, "RANGE", ""}} {
		text, said := options[part.option]
		if !said {
			text = part.def
		}
		if text == "" {
			continue
		}
		name, kind, _ := strings.Cut(text, ":")
		letter, known := kinds[kind]
		if !known || !attributeName.MatchString(name) {
			return nil, aloft.Errorf(aloft.Invalid, "%s is %q; expected an attribute such as id, id:number or id:binary", part.option, text)
		}
		all = append(all, attribute{name, letter, part.role})
	}
	if len(all) == 2 && all[0].name == all[1].name {
		return nil, aloft.Errorf(aloft.Invalid, "key and sort are the same attribute, %q", all[0].name)
	}
	return all, nil
}

// Render implements resource.Cloud.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	if err := (Cloud{}).Check(in.Resource.Options); err != nil {
		return resource.Rendered{}, err
	}
	keys, err := keysOf(in.Resource.Options)
	if err != nil {
		return resource.Rendered{}, err
	}
	var schema, definitions []any
	for _, k := range keys {
		schema = append(schema, map[string]any{"AttributeName": k.name, "KeyType": k.role})
		definitions = append(definitions, map[string]any{"AttributeName": k.name, "AttributeType": k.kind})
	}
	encryption := map[string]any{"SSEEnabled": true, "SSEType": "KMS"}
	if in.KMSKey != "" {
		encryption["KMSMasterKeyId"] = in.KMSKey
	}
	properties := map[string]any{
		"TableName": in.Name, "KeySchema": schema, "AttributeDefinitions": definitions, "BillingMode": "PAY_PER_REQUEST",
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
		"SSESpecification":                 encryption,
	}
	if ttl := in.Resource.Options[ttlOption]; ttl != "" {
		properties["TimeToLiveSpecification"] = map[string]any{"AttributeName": ttl, "Enabled": true}
	}
	arn := cfn.GetAtt(in.ID, "Arn")
	items := []any{arn, cfn.Sub("${" + in.ID + ".Arn}/index/*")}
	return resource.Rendered{
		Resources: map[string]cfn.Resource{in.ID: in.Store("AWS::DynamoDB::Table", properties)},
		Env:       map[string]any{in.Variable(): cfn.Ref(in.ID)},
		ARN:       arn,
		Access: in.Access(map[string][]cfn.Statement{
			aloft.EdgeRead: {{
				Action:   []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"},
				Resource: items,
			}},
			aloft.EdgeWrite: {{
				Action:   []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"},
				Resource: arn,
			}},
		}),
		Single: true,
	}, nil
}
