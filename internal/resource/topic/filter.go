package topic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
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
		switch {
		case name == "$or" && isList:
			for _, one := range list {
				sub, err := parseFilter(one, depth+1)
				if err != nil {
					return nil, err
				}
				f.any = append(f.any, sub)
			}
		case isList:
			for _, one := range list {
				c, err := parseCondition(one)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				f.conditions[name] = append(f.conditions[name], c)
			}
		default:
			sub, err := parseFilter(v, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			f.nested[name] = sub
		}
	}
	return f, nil
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
		for _, one := range v {
			if f.matchBelow(one) {
				return true
			}
		}
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

// condition reports whether it lets values through.
type condition func(of values) bool

// each is a condition that one of the values must fulfil.
func each(test func(v any) bool) condition {
	return func(of values) bool {
		for _, v := range of {
			if test(v) {
				return true
			}
		}
		return false
	}
}

func parseCondition(v any) (condition, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return each(equals(v)), nil
	}
	if len(object) != 1 {
		return nil, errors.New("a condition has one key")
	}
	for name, arg := range object {
		switch name {
		case "exists":
			want, ok := arg.(bool)
			if !ok {
				return nil, errors.New("exists is true or false")
			}
			return func(of values) bool { return (len(of) > 0) == want }, nil
		case "anything-but":
			return anythingBut(arg)
		default:
			test, err := parseTest(name, arg)
			return each(test), err
		}
	}
	return nil, nil
}

func anythingBut(arg any) (condition, error) {
	var tests []func(any) bool
	switch arg := arg.(type) {
	case []any:
		for _, one := range arg {
			tests = append(tests, equals(one))
		}
	case map[string]any:
		for name, one := range arg {
			list, ok := one.([]any)
			if !ok {
				list = []any{one}
			}
			for _, one := range list {
				test, err := parseTest(name, one)
				if err != nil {
					return nil, err
				}
				tests = append(tests, test)
			}
		}
	default:
		tests = append(tests, equals(arg))
	}
	return each(func(v any) bool {
		for _, test := range tests {
			if test(v) {
				return false
			}
		}
		return true
	}), nil
}

// parseTest is a test of one value.
func parseTest(name string, arg any) (func(v any) bool, error) {
	if name == "numeric" {
		return parseNumeric(arg)
	}
	text, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%s takes text", name)
	}
	tests := map[string]func(s string) bool{
		"prefix":             func(s string) bool { return strings.HasPrefix(s, text) },
		"suffix":             func(s string) bool { return strings.HasSuffix(s, text) },
		"equals-ignore-case": func(s string) bool { return strings.EqualFold(s, text) },
	}
	if name == "cidr" {
		within, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		tests[name] = func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && within.Contains(a)
		}
	}
	test, ok := tests[name]
	if !ok {
		return nil, fmt.Errorf("unrecognized match type %s", name)
	}
	return func(v any) bool { s, ok := v.(string); return ok && test(s) }, nil
}

// parseNumeric reads conditions such as [">", 0, "<=", 5].
func parseNumeric(arg any) (func(v any) bool, error) {
	list, ok := arg.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 {
		return nil, errors.New("numeric is a list of operators and numbers")
	}
	type bound struct {
		operator string
		value    float64
	}
	var bounds []bound
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		value, ok := number(list[i+1])
		if !ok || !strings.Contains(" = < <= > >= ", " "+operator+" ") || operator == "" {
			return nil, errors.New("numeric is a list of operators and numbers")
		}
		bounds = append(bounds, bound{operator, value})
	}
	return func(v any) bool {
		n, ok := number(v)
		for _, b := range bounds {
			ok = ok && compare(n, b.operator, b.value)
		}
		return ok
	}, nil
}

func compare(a float64, operator string, b float64) bool {
	switch operator {
	case "=":
		return a == b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	default:
		return a >= b
	}
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// equals tests for one value. Numbers are equal by value, not as they are written.
func equals(want any) func(v any) bool {
	wanted, isNumber := number(want)
	text, _ := json.Marshal(want) // it came from JSON
	return func(v any) bool {
		if n, ok := number(v); ok || isNumber {
			return ok && isNumber && n == wanted
		}
		got, err := json.Marshal(v)
		return err == nil && bytes.Equal(got, text)
	}
}
