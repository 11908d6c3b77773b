package cfn

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Leads says where references to something lead instead. The attribute is "" for a Ref. What it returns is Ref, GetAtt or text; nil
// leaves a reference as it is.
type Leads func(id, attribute string) any

// Rewrite returns a value, as JSON is decoded, whose references lead elsewhere: Ref, Fn::GetAtt, and what Fn::Sub has in braces.
func Rewrite(value any, leads Leads) any {
	switch v := value.(type) {
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = Rewrite(one, leads)
		}
		return all
	case map[string]any:
		if id, attribute, is := Referred(v); is {
			if to := leads(id, attribute); to != nil {
				return to
			}
			return v
		}
		all := map[string]any{}
		for key, one := range v {
			all[key] = Rewrite(one, leads)
		}
		if text, is := v["Fn::Sub"]; is && len(v) == 1 {
			all["Fn::Sub"] = rewriteSub(text, leads)
		}
		return all
	}
	return value
}

// Referred is what a Ref or a Fn::GetAtt names.
func Referred(v map[string]any) (id, attribute string, is bool) {
	if len(v) != 1 {
		return "", "", false
	}
	if id, is = v["Ref"].(string); is {
		return id, "", true
	}
	switch at := v["Fn::GetAtt"].(type) {
	case string:
		id, attribute, is = strings.Cut(at, ".")
	case []any:
		if len(at) == 2 {
			id, _ = at[0].(string)
			attribute, is = at[1].(string)
		}
	}
	return id, attribute, is && id != ""
}

// inBraces is a name in the text of Fn::Sub, or its attribute. ${!Name} is none.
var inBraces = regexp.MustCompile(`\$\{ *([A-Za-z0-9:]+)((?:\.[A-Za-z0-9.]+)?) *\}`)

func rewriteSub(value any, leads Leads) any {
	own := map[string]any{}
	text, _ := value.(string)
	list, is := value.([]any)
	if is && len(list) == 2 {
		text, _ = list[0].(string)
		own, _ = list[1].(map[string]any)
		own, _ = Rewrite(own, leads).(map[string]any)
	}
	text = inBraces.ReplaceAllStringFunc(text, func(found string) string {
		parts := inBraces.FindStringSubmatch(found)
		if _, is := own[parts[1]]; is {
			return found
		}
		switch to := leads(parts[1], strings.TrimPrefix(parts[2], ".")).(type) {
		case string:
			return to
		case map[string]any:
			return Text(to)
		}
		return found
	})
	if is {
		return []any{text, own}
	}
	return text
}

// References are the ids that a value refers to, in order, pseudo parameters left out.
func References(value any) []string {
	all := map[string]bool{}
	Rewrite(value, func(id, _ string) any {
		if !strings.HasPrefix(id, "AWS::") {
			all[id] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(all))
}
