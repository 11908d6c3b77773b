package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ToJSON returns a template of CloudFormation in JSON: one in YAML with the long forms of its functions, "!Ref Table" as {"Ref": "Table"}.
func ToJSON(text []byte) ([]byte, error) {
	if json.Valid(text) {
		return text, nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("its template is neither JSON nor YAML: %w", err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("its template is neither JSON nor YAML")
	}
	value, err := fromYAML(document.Content[0])
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// fromYAML is a node as JSON has it, with the short form of a function as its long form.
func fromYAML(node *yaml.Node) (any, error) {
	value, err := untagged(node)
	short, is := strings.CutPrefix(node.Tag, "!")
	if err != nil || !is || strings.HasPrefix(short, "!") || short == "" {
		return value, err
	}
	switch short {
	case "Ref", "Condition":
		return map[string]any{short: value}, nil
	case "GetAtt":
		if of, is := value.(string); is {
			id, attribute, _ := strings.Cut(of, ".")
			value = []any{id, attribute}
		}
	}
	return map[string]any{"Fn::" + short: value}, nil
}

func untagged(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.AliasNode:
		return nil, fmt.Errorf("its template has an alias of YAML in line %d, which CloudFormation does not take", node.Line)
	case yaml.MappingNode:
		all := map[string]any{}
		for pair := range slices.Chunk(node.Content, 2) {
			value, err := fromYAML(pair[1])
			if err != nil {
				return nil, err
			}
			all[pair[0].Value] = value
		}
		return all, nil
	case yaml.SequenceNode:
		all := []any{}
		for _, one := range node.Content {
			value, err := fromYAML(one)
			if err != nil {
				return nil, err
			}
			all = append(all, value)
		}
		return all, nil
	default:
		return scalar(node), nil
	}
}

// scalar is a scalar by the words of YAML 1.1, which CloudFormation reads. What JSON writes otherwise than the template does, a date or a
// number with a leading zero, stays the text that it is.
func scalar(node *yaml.Node) any {
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return node.Value
	}
	switch strings.ToLower(node.Value) {
	case "true", "yes", "on":
		return true
	case "false", "no", "off":
		return false
	case "", "null", "~":
		return nil
	}
	if number := json.Number(node.Value); json.Valid([]byte(number)) && strings.Trim(node.Value, "-.0123456789") == "" {
		return number
	}
	return node.Value
}
