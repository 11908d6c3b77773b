// Package eventpattern matches JSON values against AWS's event patterns, which are the filters of event source mappings and the
// filter policies of topics. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
package eventpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Pattern says of names which values they must have: for each name one of the conditions lets one of the values through.
type Pattern struct {
	conditions map[string][]condition
	nested     map[string]*Pattern // for what lies below a name
	any        []*Pattern          // $or: one of them
	combined   int
}

// Combinations are how many values it combines, as AWS counts them: what each name's list has, times how deep it lies, all
// multiplied; parts of $or are added. It is no more than a billion.
func (p *Pattern) Combinations() int { return p.combined }

func (p *Pattern) combine(n int) { p.combined = min(p.combined*n, 1e9) }

// What bounds a pattern, which anybody may write.
const (
	maxLength = 256 << 10 // bytes
	maxDepth  = 10

	// maxTests is how many conditions other than exact values, tests in them, and parts of $or it has: each looks at every value of
	// a list.
	maxTests = 512
)

// Parse reads a pattern. An empty one lets everything through.
func Parse(text string) (*Pattern, error) { return read(text, &parser{}) }

// ParseStored reads a pattern that was taken when maps and lists of $or could be empty still, which let everything through.
func ParseStored(text string) (*Pattern, error) { return read(text, &parser{empty: true}) }

func read(text string, p *parser) (*Pattern, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("it has more than %d bytes", maxLength)
	}
	v, err := Decode(text)
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	return p.pattern(v, 0)
}

// Of is the pattern that a value is, which Decode returned.
func Of(v any) (*Pattern, error) { return (&parser{}).pattern(v, 0) }

// Decode reads one JSON value, with numbers as they are written, as Match wants them.
func Decode(text string) (v any, err error) {
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

// parser reads one pattern.
type parser struct {
	empty bool // maps and lists of $or may be empty
	tests int  // so far
	or    int  // how many $or the pattern lies in
}

// costs counts what looks at every value that stands under a name.
func (p *parser) costs(n int) error {
	if p.tests += n; p.tests > maxTests {
		return fmt.Errorf("it has too many conditions that are no exact values, and parts of $or: they count for %d, %d are the most", p.tests, maxTests)
	}
	return nil
}

func (p *parser) pattern(v any, depth int) (*Pattern, error) {
	object, ok := v.(map[string]any)
	switch {
	case !ok:
		return nil, errors.New("a pattern is a map of names, and conditions are a list")
	case depth > maxDepth:
		return nil, fmt.Errorf("a pattern is at most %d deep", maxDepth)
	case depth > 0 && len(object) == 0 && !p.empty:
		return nil, errors.New("an empty map says nothing")
	}
	pattern := &Pattern{conditions: map[string][]condition{}, nested: map[string]*Pattern{}, combined: 1}
	for name, v := range object {
		list, isList := v.([]any)
		var err error
		switch {
		case name == "$or" && isList && (len(list) > 0 || p.empty):
			err = p.parts(pattern, list, depth+1)
		case isList && len(list) == 0:
			err = errors.New("an empty list lets nothing through")
		case isList:
			pattern.combine(len(list) * (depth - p.or + 1))
			pattern.conditions[name], err = p.conditions(list)
		default:
			err = p.below(pattern, name, v, depth+1)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return pattern, nil
}

// parts reads those of $or.
func (p *parser) parts(pattern *Pattern, list []any, depth int) error {
	sum := 0
	p.or++
	for _, one := range list {
		if err := p.costs(1); err != nil {
			return err
		}
		part, err := p.pattern(one, depth)
		if err != nil {
			return err
		}
		pattern.any = append(pattern.any, part)
		sum += part.combined
	}
	p.or--
	pattern.combine(max(sum, 1))
	return nil
}

func (p *parser) below(pattern *Pattern, name string, v any, depth int) error {
	sub, err := p.pattern(v, depth)
	if err != nil {
		return err
	}
	pattern.nested[name] = sub
	pattern.combine(sub.combined)
	return nil
}

// values are what stands under a name; none if there is no such name.
type values []any

// Match reports whether the pattern lets an object through.
func (p *Pattern) Match(object map[string]any) bool {
	for name, conditions := range p.conditions {
		if !anyOf(conditions, leaves(object, name)) {
			return false
		}
	}
	for name, sub := range p.nested {
		if !sub.matchBelow(object[name]) {
			return false
		}
	}
	for _, sub := range p.any {
		if sub.Match(object) {
			return true
		}
	}
	return len(p.any) == 0
}

// matchBelow looks into a map, or into each map of a list. Where there is none it lets through what must not exist.
func (p *Pattern) matchBelow(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return p.Match(v)
	case []any:
		if len(v) > 0 {
			return slices.ContainsFunc(v, p.matchBelow)
		}
	}
	return p.Match(nil)
}

// Asks says how a pattern asks for a name of an object: for its value itself, for what lies below it, or both in parts of $or.
func (p *Pattern) Asks(name string) (itself, below bool) {
	itself, below = len(p.conditions[name]) > 0, p.nested[name] != nil
	for _, sub := range p.any {
		i, b := sub.Asks(name)
		itself, below = itself || i, below || b
	}
	return itself, below
}

// leaves are the values under a name: those of a list, and no maps, which conditions do not look at.
func leaves(object map[string]any, name string) values {
	v, has := object[name]
	if !has {
		return nil
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	return slices.DeleteFunc(slices.Clone(list), func(one any) bool { _, isMap := one.(map[string]any); return isMap })
}

func anyOf(conditions []condition, of values) bool {
	for _, c := range conditions {
		if c(of) {
			return true
		}
	}
	return false
}
