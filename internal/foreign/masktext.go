package foreign

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// hideText masks a text as a whole if it is to be secret, and else what it holds below names of secrets if it is JSON, or has JSON in it:
// the input of a target, a state machine's definition.
func (h hiding) hideText(text string, all bool) string {
	switch {
	case text == "" || strings.HasPrefix(text, "{{resolve:") || elsewhere(text):
		return text
	case all && references(text):
		for _, id := range cfn.References(map[string]any{"Fn::Sub": text}) {
			h.ids[id] = true
		}
		return text
	case all:
		return mask
	}
	var value any
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if json.Valid([]byte(text)) && decode([]byte(text), &value) == nil {
			return h.hideJSON(text, value)
		}
	}
	return h.hidePairs(text)
}

// hideJSON masks a text that is the JSON of a value.
func (h hiding) hideJSON(text string, value any) string {
	masked := h.hide(value, false)
	if same := any(nil); decode([]byte(text), &same) == nil && reflect.DeepEqual(same, masked) {
		return h.hidePairs(text) // keys may be there twice
	}
	out, err := json.Marshal(masked)
	if err != nil {
		return mask
	}
	return string(out)
}

// inText is a name and its value in what is not JSON as a whole: text, up to a quote, or a number. Quotes may be escaped.
var inText = regexp.MustCompile(`\\*"([\w.$-]+)\\*"\s*:\s*(?:\\*"([^"]+)|(\d+))`)

// hidePairs masks a text if a name of a secret has a value in it: where that ends is not certain.
func (h hiding) hidePairs(text string) string {
	masked := text
	for _, pair := range inText.FindAllStringSubmatch(text, -1) {
		value := strings.TrimRight(pair[2], `\`) + pair[3]
		if secret(pair[1]) && h.hideText(value, true) != value {
			masked = mask
		}
	}
	return masked
}

// wholly are references in the text of Fn::Sub, and nothing else.
var wholly = regexp.MustCompile(`^(\$\{ *[A-Za-z0-9:.]+ *\})+$`)

func references(text string) bool { return wholly.MatchString(text) }

// path is where in its input, or its context, a state machine or an API finds a value.
var path = regexp.MustCompile(`^(\$\$?\.[\w.$\[\]*-]+|\$(input|context|stageVariables|util)\.[\w.()'$-]+|\{% *\$states\.[\w.]+ *%\})$`)

// elsewhere reports whether a text says where a value is found once it is asked for.
func elsewhere(text string) bool { return path.MatchString(text) }

// joined are the parts of a Fn::Join, and what is between them.
func joined(v map[string]any) (parts []any, separator string, is bool) {
	of, _ := v["Fn::Join"].([]any)
	if len(v) != 1 || len(of) != 2 {
		return nil, "", false
	}
	separator, is = of[0].(string)
	parts, list := of[1].([]any)
	return parts, separator, is && list
}

// hideJoin masks what the parts of a Fn::Join hold. It returns false if the text that they make holds a secret.
func (h hiding) hideJoin(parts []any, separator string, all bool) bool {
	text := inOne(parts, separator)
	if strings.HasPrefix(text, "{{resolve:") {
		return true
	}
	if !all && h.hideText(text, false) != text {
		return false
	}
	for i, one := range parts {
		if _, is := one.(string); !is || all {
			parts[i] = h.hide(one, all)
		}
	}
	return true
}

// hideSub masks what a Fn::Sub with names of its own holds.
func (h hiding) hideSub(sub []any, all bool) {
	text, _ := sub[0].(string)
	if strings.HasPrefix(text, "{{resolve:") {
		return
	}
	inside, own := newHiding(), object(sub[1])
	sub[0] = inside.hideText(text, all)
	for name, one := range own {
		own[name] = h.hide(one, inside.ids[name] || all || secret(name))
	}
	for id := range inside.ids {
		if _, is := own[id]; !is {
			h.ids[id] = true
		}
	}
}

// inOne is the text of a Fn::Join, as Fn::Sub would have it.
func inOne(parts []any, separator string) string {
	var all []string
	for _, part := range parts {
		text, is := part.(string)
		function := object(part)
		id, attribute, refers := cfn.Referred(function)
		sub, subs := function["Fn::Sub"].(string)
		switch {
		case is:
		case refers:
			text = "${" + strings.TrimSuffix(id+"."+attribute, ".") + "}"
		case subs:
			text = sub
		default:
			text = "(what CloudFormation works out)"
		}
		all = append(all, text)
	}
	return strings.Join(all, separator)
}
