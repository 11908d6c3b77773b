package foreign

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// mask is what stands for a value that may be secret.
const mask = "***"

// Masked returns a template in JSON without values that may be secret: of environments, of parameters that are not echoed, and of
// properties and mappings that are called secrets, or that such a property leads to. References stay. It returns false if the text is
// no JSON.
func Masked(text []byte) ([]byte, bool) {
	var template map[string]any
	if !json.Valid(text) || decode(text, &template) != nil {
		return nil, false
	}
	led := newHiding()
	for _, r := range object(template["Resources"]) {
		resource := object(r)
		kind, _ := resource["Type"].(string)
		led.properties(kind, object(resource["Properties"]))
		led.hide(resource["Metadata"], false)
	}
	for id, output := range object(template["Outputs"]) {
		if one := object(output); one != nil {
			one["Value"] = led.hide(one["Value"], secret(id))
		}
	}
	for name, one := range object(template["Mappings"]) {
		led.hide(one, led.mappings[name] || secret(name))
	}
	for name, p := range object(template["Parameters"]) {
		parameter := object(p)
		kind, _ := parameter["Type"].(string)
		silent := parameter["NoEcho"] == true || parameter["NoEcho"] == "true"
		if _, has := parameter["Default"]; has && (silent || secret(name) || led.ids[name] && !named(kind)) {
			parameter["Default"] = mask
		}
	}
	masked, err := json.MarshalIndent(template, "", "  ")
	return append(masked, '\n'), err == nil
}

// object is a value that is one, else nil.
func object(value any) map[string]any {
	all, _ := value.(map[string]any)
	return all
}

// named reports whether the value of a parameter of a type is only the name of what has the value.
func named(kind string) bool { return strings.HasPrefix(kind, "AWS::SSM::Parameter::") }

// hiding masks values that may be secret, and finds out what leads to such.
type hiding struct {
	ids      map[string]bool // what is referred to where a secret is to be
	mappings map[string]bool // what is looked up there
}

func newHiding() hiding { return hiding{ids: map[string]bool{}, mappings: map[string]bool{}} }

// properties masks, in place, those of a resource of a type.
func (h hiding) properties(kind string, properties map[string]any) {
	for name, one := range properties {
		if words(name) {
			continue
		}
		valuable := name == "Value" && (kind == "AWS::SSM::Parameter" || kind == "AWS::ApiGateway::ApiKey")
		maker := name == "ServiceToken" && IsCustom(kind) // the ARN of who makes it
		properties[name] = h.hide(one, valuable || secret(name) && !maker)
	}
}

// hide masks, in place where it can, what a value holds below names of secrets, or all of it.
func (h hiding) hide(value any, all bool) any {
	switch v := value.(type) {
	case map[string]any:
		return h.hideObject(v, all)
	case []any:
		h.hideList(v, all)
	case string:
		return h.hideText(v, all)
	case nil, bool:
	default:
		if all {
			return mask
		}
	}
	return value
}

// hideList masks what a list holds. The names of variables stay.
func (h hiding) hideList(list []any, all bool) {
	for i, one := range list {
		variable := object(one)
		name, is := variable["Name"].(string)
		list[i] = h.hide(one, all)
		if is && (variable["Value"] != nil || variable["Value.$"] != nil) {
			variable["Name"] = name
		}
	}
}

func (h hiding) hideObject(v map[string]any, all bool) any {
	if all && h.leads(v) {
		return v
	}
	if sub, is := v["Fn::Sub"].([]any); is && len(v) == 1 && len(sub) == 2 {
		h.hideSub(sub, all)
		return v
	}
	if parts, separator, is := joined(v); is {
		if h.hideJoin(parts, separator, all) {
			return v
		}
		return mask
	}
	if choices, is := v["Fn::If"].([]any); is && len(v) == 1 && len(choices) > 0 { // the first is the name of a condition
		h.hide(choices[1:], all)
		return v
	}
	for name, one := range v {
		if !all && words(name) {
			continue
		}
		valued := name == "Value" && v["IsValueSecret"] == true
		v[name] = h.hide(one, all || valued || secret(name))
	}
	return v
}

// leads reports whether an object leads to a value instead of being one.
func (h hiding) leads(v map[string]any) bool {
	if len(v) != 1 {
		return false
	}
	if id, is := v["Ref"].(string); is {
		h.ids[id] = true
		return true
	}
	if path, is := v["Fn::FindInMap"].([]any); is {
		if len(path) > 0 {
			name, _ := path[0].(string)
			h.mappings[name] = true
		}
		return true
	}
	return v["Fn::GetAtt"] != nil || v["Fn::ImportValue"] != nil
}

// secret reports whether what has a name is to be masked.
func secret(name string) bool {
	name = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	if strings.HasSuffix(name, "arn") || strings.HasSuffix(name, "id") || slices.Contains(harmless(), name) || condition.MatchString(name) {
		return false
	}
	return name == "userdata" || slices.ContainsFunc([]string{
		"environment", "password", "passphrase", "secret", "token", "apikey", "privatekey", "presharedkey", "credential",
	}, func(word string) bool { return strings.Contains(name, word) })
}

// words reports whether what has a name has names of tokens and keys in it, and nothing but words for each.
func words(name string) bool {
	return slices.Contains([]string{"TokenValidityUnits", "securityDefinitions", "securitySchemes"}, name)
}

// harmless are names with such a word, of properties that say how a secret is to be made, how long it holds, or where it is looked
// for.
func harmless() []string {
	return []string{
		"accesstokenvalidity", "apikeyselectionexpression", "apikeysource", "apikeysourcetype", "generatesecretstring", "idtokenvalidity", "passwordlength",
		"passwordpolicy", "refreshtokenvalidity", "secretstringtemplate", "xamazonapigatewayapikeysource",
	}
}

// condition is a key of a condition in a policy.
var condition = regexp.MustCompile(`^(aws|secretsmanager|token\.actions\.githubusercontent\.com):`)
