package foreign

import (
	"encoding/json"
	"slices"
	"strings"
)

// mask is what stands for a value that may be secret.
const mask = "***"

// Masked returns a template in JSON without values that may be secret: of environments, of parameters that are not echoed, and of
// properties and mappings that are called secrets. References stay. It returns false if the text is no JSON.
func Masked(text []byte) ([]byte, bool) {
	var template map[string]any
	if json.Unmarshal(text, &template) != nil {
		return nil, false
	}
	resources, _ := template["Resources"].(map[string]any)
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		properties, has := resource["Properties"].(map[string]any)
		if !has {
			continue
		}
		resource["Properties"] = hide(properties, false)
		if _, has := properties["Value"]; has && resource["Type"] == "AWS::SSM::Parameter" {
			properties["Value"] = hide(properties["Value"], true)
		}
	}
	template["Mappings"] = hide(template["Mappings"], false)
	if template["Mappings"] == nil {
		delete(template, "Mappings")
	}
	parameters, _ := template["Parameters"].(map[string]any)
	for name, p := range parameters {
		parameter, _ := p.(map[string]any)
		silent := parameter["NoEcho"] == true || parameter["NoEcho"] == "true"
		if _, has := parameter["Default"]; has && (silent || secret(name)) {
			parameter["Default"] = mask
		}
	}
	masked, err := json.MarshalIndent(template, "", "  ")
	return append(masked, '\n'), err == nil
}

// hide masks what a value holds below names of secrets, or all of it.
func hide(value any, all bool) any {
	switch v := value.(type) {
	case map[string]any:
		if all && reference(v) {
			return v
		}
		for name, one := range v {
			v[name] = hide(one, all || secret(name))
		}
	case []any:
		for i, one := range v {
			v[i] = hide(one, all)
		}
	case nil, bool:
	case string:
		if all && !strings.HasPrefix(v, "{{resolve:") {
			return mask
		}
	default:
		if all {
			return mask
		}
	}
	return value
}

// reference reports whether an object leads to a value instead of being one.
func reference(v map[string]any) bool {
	if len(v) != 1 {
		return false
	}
	for name := range v {
		return name == "Ref" || name == "Fn::GetAtt" || name == "Fn::ImportValue" || name == "Fn::FindInMap"
	}
	return false
}

// secret reports whether what has a name is to be masked.
func secret(name string) bool {
	name = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	if strings.HasSuffix(name, "arn") || strings.HasSuffix(name, "id") {
		return false
	}
	return name == "userdata" || slices.ContainsFunc([]string{"environment", "password", "secret", "token", "apikey", "privatekey", "credential"},
		func(word string) bool { return strings.Contains(name, word) })
}
