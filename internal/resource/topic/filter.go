package topic

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft/internal/eventpattern"
)

// Filter is a filter policy: what a message must have to be let through.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type Filter struct{ pattern *eventpattern.Pattern }

// maxCombinations is how many values a policy combines at most, as on AWS ("Filter policy constraints").
const maxCombinations = 150

// ParseFilter reads a policy.
func ParseFilter(text string) (Filter, error) {
	p, err := eventpattern.Parse(text)
	if err == nil && p.Combinations() > maxCombinations {
		err = fmt.Errorf("it is too complex: it combines %d values, %d are the most", p.Combinations(), maxCombinations)
	}
	return Filter{p}, err
}

// MatchBody reports whether the filter lets a message with this body through.
func (f Filter) MatchBody(body string) bool {
	v, err := eventpattern.Decode(body)
	object, ok := v.(map[string]any)
	return err == nil && ok && f.pattern.Match(object)
}

// MatchAttributes reports whether the filter lets a message with these attributes through.
func (f Filter) MatchAttributes(attributes map[string]Value) bool {
	object := map[string]any{}
	for name, v := range attributes {
		object[name] = v.value()
	}
	return f.pattern.Match(object)
}

// value is what a filter sees of an attribute.
func (v Value) value() any {
	kind, _, _ := strings.Cut(v.Type, ".")
	switch {
	case v.Type == "String.Array":
		if list, err := eventpattern.Decode(v.Text); err == nil {
			return list
		}
	case kind == "Number":
		return json.Number(v.Text)
	case kind == "Binary":
		return nil
	}
	return v.Text
}

// text is the value as text.
func (v Value) text() string {
	if v.Binary != nil {
		return base64.StdEncoding.EncodeToString(v.Binary)
	}
	return v.Text
}
