package eventpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// condition reports whether it lets values through.
type condition func(of values) bool

// each is a condition that one of the values must fulfil.
func each(test func(v any) bool) condition {
	return func(of values) bool { return slices.ContainsFunc(of, test) }
}

// conditions reads a list of conditions. All values that must be met exactly are one condition, so that there may be many.
func (p *parser) conditions(list []any) ([]condition, error) {
	var all []condition
	exact := set{}
	for _, one := range list {
		object, ok := one.(map[string]any)
		if !ok {
			exact.add(one)
			continue
		}
		c, err := p.condition(object)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(exact) > 0 {
		all = append(all, each(exact.has))
	}
	return all, nil
}

func (p *parser) condition(object map[string]any) (condition, error) {
	if len(object) != 1 {
		return nil, errors.New("a condition has one key")
	}
	if err := p.costs(1); err != nil {
		return nil, err
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
			return p.anythingBut(arg)
		default:
			test, err := p.test(name, arg)
			return each(test), err
		}
	}
	return nil, nil
}

func (p *parser) anythingBut(arg any) (condition, error) {
	var tests []func(any) bool
	exact := set{}
	switch arg := arg.(type) {
	case []any:
		for _, one := range arg {
			exact.add(one)
		}
	case map[string]any:
		for name, one := range arg {
			list, ok := one.([]any)
			if !ok {
				list = []any{one}
			}
			for _, one := range list {
				test, err := p.test(name, one)
				if err != nil {
					return nil, err
				}
				tests = append(tests, test)
			}
		}
	default:
		exact.add(arg)
	}
	return each(func(v any) bool {
		return !exact.has(v) && !slices.ContainsFunc(tests, func(test func(any) bool) bool { return test(v) })
	}), nil
}

// test is parseTest of one test more.
func (p *parser) test(name string, arg any) (func(v any) bool, error) {
	bounds, _ := arg.([]any) // of numeric
	if err := p.costs(max(1, len(bounds)/2)); err != nil {
		return nil, err
	}
	return parseTest(name, arg)
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

// set is values, each by what it equals. Numbers are equal by value, not as they are written.
type set map[any]bool

func (s set) add(v any)      { s[keyOf(v)] = true }
func (s set) has(v any) bool { return s[keyOf(v)] }

// keyOf is the same for equal values, and can be compared.
func keyOf(v any) any {
	switch v := v.(type) {
	case nil, bool, string:
		return v
	}
	if n, ok := number(v); ok {
		return n
	}
	type text string // of a list, or of a number beyond all bounds
	written, err := json.Marshal(v)
	if err != nil { // a number that is none, and so equals nothing
		return new(text)
	}
	return text(written)
}
