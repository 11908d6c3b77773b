package terraform

import (
	"strings"
	"unicode"

	"github.com/aloft-run/aloft/internal/cfn"
)

// snake is a name of CloudFormation as Terraform writes names: WebFunctionARN is web_function_arn.
func snake(name, separator string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, c := range letters {
		if unicode.IsUpper(c) {
			begins := i > 0 && !unicode.IsUpper(letters[i-1])
			ends := i > 0 && i+1 < len(letters) && unicode.IsLower(letters[i+1])
			if begins || ends {
				b.WriteString(separator)
			}
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}

// namesOf are the names in Terraform of logical ids. Those that would have the same get some of their digest besides.
func namesOf(ids []string) map[string]string {
	count := map[string]int{}
	for _, id := range ids {
		count[snake(id, "_")]++
	}
	names := map[string]string{}
	for _, id := range ids {
		names[id] = snake(id, "_")
		if count[names[id]] > 1 {
			names[id] += "_" + cfn.Digest(id)
		}
	}
	return names
}

// usesOf are the attributes of each resource that something in a template refers to; "" is what Ref gives.
func usesOf(t cfn.Template) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	use := func(id, attribute string) {
		if all[id] == nil {
			all[id] = map[string]bool{}
		}
		all[id][attribute] = true
	}
	for _, r := range t.Resources {
		walk(r.Properties, use)
	}
	for _, o := range t.Outputs {
		walk(o.Value, use)
	}
	return all
}

// walk calls use for each reference in a value.
func walk(v any, use func(id, attribute string)) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			walk(one, use)
		}
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			switch text, isText := argument.(string); {
			case name == "Ref" && isText:
				use(text, "")
			case name == "Fn::GetAtt":
				if id, attribute, ok := getAtt(argument); ok {
					use(id, attribute)
				}
			case name == "Fn::Sub":
				walkText(argument, use)
			}
		}
		for _, one := range v {
			walk(one, use)
		}
	}
}

func walkText(argument any, use func(id, attribute string)) {
	text, _ := argument.(string)
	if list, ok := argument.([]any); ok && len(list) > 0 {
		text, _ = list[0].(string)
	}
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if match[1] == "" {
			id, attribute, _ := strings.Cut(strings.TrimSpace(match[2]), ".")
			use(id, attribute)
		}
	}
}

// Variable is the name of the variable that a parameter of a template becomes.
func Variable(parameter string) string { return snake(parameter, "_") }
