package topic

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Filter is a filter policy: for each of its names the message must have a value that one of the conditions lets through.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type Filter struct {
	conditions map[string][]condition
	nested     map[string]*Filter // bodies: policies for what lies below a name
	any        []*Filter          // $or: one of them
}

// maxFilter bounds a policy, which anybody may write.
const (
	maxFilter      = 256 << 10 // bytes
	maxFilterDepth = 10
)

// ParseFilter reads a policy.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > maxFilter {
		return nil, fmt.Errorf("the policy has more than %d bytes", maxFilter)
	}
	v, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("the policy is no JSON: %w", err)
	}
	return parseFilter(v, 0)
}

// decode reads JSON with numbers as they are written.
func decode(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func parseFilter(v any, depth int) (*Filter, error) {
	object, ok := v.(map[string]any)
	if !ok || depth > maxFilterDepth {
		return nil, errors.New("a policy is a map of names")
	}
	f := &Filter{conditions: map[string][]condition{}, nested: map[string]*Filter{}}
	for name, v := range object {
		list, isList := v.([]any)
		var err error
		switch {
		case name == "$or" && isList:
			f.any, err = parseAll(list, func(one any) (*Filter, error) { return parseFilter(one, depth+1) })
		case isList:
			f.conditions[name], err = parseAll(list, parseCondition)
		default:
			f.nested[name], err = parseFilter(v, depth+1)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return f, nil
}

func parseAll[T any](list []any, parse func(any) (T, error)) ([]T, error) {
	all := make([]T, len(list))
	for i, one := range list {
		var err error
		if all[i], err = parse(one); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// values are what a message has under a name; none if it has no such name.
type values []any

// MatchBody reports whether the filter lets a message with this body through.
func (f *Filter) MatchBody(body string) bool {
	v, err := decode(body)
	object, ok := v.(map[string]any)
	return err == nil && ok && f.match(object)
}

// MatchAttributes reports whether the filter lets a message with these attributes through.
func (f *Filter) MatchAttributes(attributes map[string]Value) bool {
	object := map[string]any{}
	for name, v := range attributes {
		object[name] = v.value()
	}
	return f.match(object)
}

func (f *Filter) match(object map[string]any) bool {
	for name, conditions := range f.conditions {
		v, has := object[name]
		if !anyOf(conditions, flatten(v, has)) {
			return false
		}
	}
	for name, sub := range f.nested {
		if !sub.matchBelow(object[name]) {
			return false
		}
	}
	for _, sub := range f.any {
		if sub.match(object) {
			return true
		}
	}
	return len(f.any) == 0
}

// matchBelow looks into a map, or into each map of a list.
func (f *Filter) matchBelow(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return f.match(v)
	case []any:
		return slices.ContainsFunc(v, f.matchBelow)
	}
	return false
}

func flatten(v any, has bool) values {
	if !has {
		return nil
	}
	if list, ok := v.([]any); ok {
		return list
	}
	return values{v}
}

func anyOf(conditions []condition, of values) bool {
	for _, c := range conditions {
		if c(of) {
			return true
		}
	}
	return false
}

// value is what a filter sees of an attribute.
func (v Value) value() any {
	kind, _, _ := strings.Cut(v.Type, ".")
	switch {
	case v.Type == "String.Array":
		if list, err := decode(v.Text); err == nil {
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
