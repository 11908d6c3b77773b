package terraform

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// value is a value of the template as one of Terraform: intrinsic functions are expressions. It is nil for what is to be left out.
func (t *translation) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{resolve:") {
			return nil, t.refuse("a dynamic reference, " + v)
		}
		return v, nil
	case []any:
		return t.list(v)
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			return t.call(name, argument)
		}
		return t.object(v)
	}
	return v, nil
}

func (t *translation) list(values []any) (any, error) {
	all := make([]any, 0, len(values))
	for _, one := range values {
		made, err := t.value(one)
		if err != nil {
			return nil, err
		}
		if made != nil {
			all = append(all, made)
		}
	}
	return all, nil
}

func (t *translation) object(values map[string]any) (any, error) {
	all := make(map[string]any, len(values))
	for key, one := range values {
		made, err := t.value(one)
		if err != nil {
			return nil, err
		}
		if made != nil {
			all[key] = made
		}
	}
	return all, nil
}

// intrinsic reports whether a map is one of CloudFormation's functions.
func intrinsic(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, argument := range v {
		if name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return name, argument, true
		}
	}
	return "", nil, false
}

// call is what one of CloudFormation's functions returns.
func (t *translation) call(name string, argument any) (any, error) {
	list, _ := argument.([]any)
	id, isText := argument.(string)
	switch {
	case isText && name == "Ref" && id == cfn.NoValue:
		return nil, nil //nolint:nilnil // it is left out
	case isText && name == "Ref":
		return t.ref(id)
	case isText && name == "Fn::Sub":
		return t.sub(id, nil)
	}
	switch name {
	case "Fn::GetAtt":
		if id, attribute, ok := getAtt(argument); ok {
			return t.attribute(id, attribute)
		}
	case "Fn::Sub":
		if len(list) == 2 {
			text, isText := list[0].(string)
			values, isMap := list[1].(map[string]any)
			if isText && isMap {
				return t.sub(text, values)
			}
		}
	case "Fn::Join":
		if len(list) == 2 {
			separator, isText := list[0].(string)
			values, isList := list[1].([]any)
			if isText && isList {
				return t.join(separator, values)
			}
		}
	}
	return nil, t.refuse(name)
}

// getAtt reads what Fn::GetAtt has: a list, or text with a dot.
func getAtt(argument any) (id, attribute string, ok bool) {
	switch a := argument.(type) {
	case string:
		return strings.Cut(a, ".")
	case []any:
		if len(a) == 2 {
			id, isID := a[0].(string)
			attribute, isAttribute := a[1].(string)
			return id, attribute, isID && isAttribute
		}
	}
	return "", "", false
}

func (t *translation) refuse(what string) error {
	return aloft.Errorf(aloft.Invalid, "%s has %s, which has no translation to Terraform", t.now, what).
		WithHint("use aloft export cloudformation, or say it another way in the section cloudformation")
}

// placeholder is what Fn::Sub fills in; secretField is a field of a secret of the template, which CloudFormation reads when it needs it.
var (
	placeholder = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)
	secretField = regexp.MustCompile(`\{\{resolve:secretsmanager:\$\{([A-Za-z0-9]+)\}:SecretString:([A-Za-z0-9_]+)\}\}`)
)

// sub is text in which names stand for values.
func (t *translation) sub(text string, values map[string]any) (any, error) {
	var all mixed
	for text != "" {
		if at := secretField.FindStringSubmatchIndex(text); at != nil && strings.HasPrefix(text, "{{resolve:") {
			field, err := t.secretField(text[at[2]:at[3]], text[at[4]:at[5]])
			if err != nil {
				return nil, err
			}
			all, text = append(all, field), text[at[1]:]
			continue
		}
		end := len(text)
		if at := strings.Index(text, "{{resolve:"); at >= 0 {
			end = at
		}
		if end == 0 {
			return nil, t.refuse("a dynamic reference, " + text)
		}
		pieces, err := t.fillIn(text[:end], values)
		if err != nil {
			return nil, err
		}
		all, text = append(all, pieces...), text[end:]
	}
	return all.simple(), nil
}

// fillIn are the pieces of a text without dynamic references.
func (t *translation) fillIn(text string, values map[string]any) (mixed, error) {
	var all mixed
	for {
		at := placeholder.FindStringSubmatchIndex(text)
		if at == nil {
			return append(all, text), nil
		}
		all = append(all, text[:at[0]])
		name := text[at[4]:at[5]]
		var piece any = "${" + name + "}"
		if at[2] == at[3] { // no exclamation mark
			var err error
			if piece, err = t.named(strings.TrimSpace(name), values); err != nil {
				return nil, err
			}
		}
		if inner, ok := piece.(mixed); ok {
			all = append(all, inner...)
		} else {
			all = append(all, piece)
		}
		text = text[at[1]:]
	}
}

// named is what a name in Fn::Sub stands for.
func (t *translation) named(name string, values map[string]any) (any, error) {
	if v, ok := values[name]; ok {
		return t.value(v)
	}
	if id, attribute, dotted := strings.Cut(name, "."); dotted {
		return t.attribute(id, attribute)
	}
	return t.ref(name)
}

// join is values with text between them.
func (t *translation) join(separator string, values []any) (any, error) {
	var all mixed
	for i, v := range values {
		if i > 0 {
			all = append(all, separator)
		}
		made, err := t.value(v)
		if err != nil {
			return nil, err
		}
		switch made := made.(type) {
		case mixed:
			all = append(all, made...)
		case string, raw, json.Number:
			all = append(all, made)
		default:
			return nil, t.refuse("Fn::Join of what is no text")
		}
	}
	return all.simple(), nil
}

// simple is the same text with as few pieces as it needs.
func (m mixed) simple() any {
	var all mixed
	for _, piece := range m {
		if expression, ok := piece.(raw); ok {
			all = append(all, expression)
			continue
		}
		text := fmt.Sprint(piece)
		if text == "" {
			continue
		}
		if last := len(all) - 1; last >= 0 {
			if before, ok := all[last].(string); ok {
				all[last] = before + text
				continue
			}
		}
		all = append(all, text)
	}
	switch {
	case len(all) == 0:
		return ""
	case len(all) == 1:
		return all[0]
	}
	return all
}
