package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The values of arguments, beside string, bool, json.Number, int, []any and map[string]any.
type (
	// raw is an expression as it is written: aws_sqs_queue.jobs.arn.
	raw string
	// mixed is text of pieces: string and raw.
	mixed []any
	// encoded is a value as JSON text.
	encoded struct{ value any }
)

// body is what stands between the braces of a block.
type body struct {
	items []item
}

// item is an argument, or a block within a block.
type item struct {
	name  string
	value any   // of an argument
	block *body // of a block
}

// set adds an argument. Without a value there is none.
func (b *body) set(name string, value any) {
	if value != nil {
		b.items = append(b.items, item{name: name, value: value})
	}
}

// block adds a block.
func (b *body) block(name string) *body {
	inner := &body{}
	b.items = append(b.items, item{name: name, block: inner})
	return inner
}

// has reports whether there is an argument.
func (b *body) has(name string) bool {
	return slices.ContainsFunc(b.items, func(i item) bool { return i.name == name })
}

// printer writes HCL in the form that terraform fmt gives it.
// https://developer.hashicorp.com/terraform/language/syntax/configuration
type printer struct {
	strings.Builder
}

const step = "  "

// section writes a block of the file: resource, data, variable and so on.
func (p *printer) section(kind string, labels []string, b *body) {
	if p.Len() > 0 {
		p.WriteString("\n")
	}
	p.WriteString(kind)
	for _, label := range labels {
		p.WriteString(" " + quoted(label))
	}
	p.inside(" {", b, "")
	p.WriteString("\n")
}

// inside writes braces with a body between them.
func (p *printer) inside(open string, b *body, indent string) {
	p.WriteString(open)
	if len(b.items) > 0 {
		p.WriteString("\n")
		p.items(b.items, indent+step)
		p.WriteString(indent)
	}
	p.WriteString("}")
}

// items writes arguments, of which those that follow each other in one line each have their signs below each other.
func (p *printer) items(all []item, indent string) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b item) int { return place(a) - place(b) })
	widths := make([]int, len(all))
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && oneLine(all[end]) {
			end++
		}
		widest := 0
		for _, one := range all[i:end] {
			widest = max(widest, len(one.name))
		}
		for k := i; k < end; k++ {
			widths[k] = widest
		}
		i = end + 1
	}
	for i, one := range all {
		if one.block != nil && i > 0 {
			p.WriteString("\n")
		}
		p.WriteString(indent)
		if one.block != nil {
			p.inside(one.name+" {", one.block, indent)
		} else {
			fmt.Fprintf(p, "%-*s = ", widths[i], one.name)
			p.value(one.value, indent)
		}
		p.WriteString("\n")
	}
}

// place is where people look for an item: blocks behind arguments, what it depends on last.
func place(i item) int {
	switch {
	case i.block != nil:
		return 1
	case i.name == "depends_on":
		return 2
	}
	return 0
}

func oneLine(i item) bool {
	if i.block != nil {
		return false
	}
	var p printer
	p.value(i.value, "")
	return !strings.Contains(p.String(), "\n")
}

// value writes the value of an argument.
func (p *printer) value(value any, indent string) {
	switch v := value.(type) {
	case raw:
		p.WriteString(string(v))
	case mixed:
		p.WriteString(v.text())
	case encoded:
		p.WriteString("jsonencode(")
		p.value(v.value, indent)
		p.WriteString(")")
	case string:
		p.WriteString(quoted(v))
	case []any:
		p.list(v, indent)
	case map[string]any:
		p.object(v, indent)
	case json.Number:
		p.WriteString(v.String())
	default:
		fmt.Fprint(p, v) // bool, int
	}
}

func (p *printer) list(all []any, indent string) {
	if !slices.ContainsFunc(all, func(v any) bool { return !scalar(v) }) {
		p.WriteString("[")
		for i, v := range all {
			if i > 0 {
				p.WriteString(", ")
			}
			p.value(v, indent)
		}
		p.WriteString("]")
		return
	}
	p.WriteString("[\n")
	for _, v := range all {
		p.WriteString(indent + step)
		p.value(v, indent+step)
		p.WriteString(",\n")
	}
	p.WriteString(indent + "]")
}

func scalar(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any, encoded:
		return false
	}
	return true
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (p *printer) object(all map[string]any, indent string) {
	inner := &body{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		name := key
		if !identifier.MatchString(key) {
			name = quoted(key)
		}
		inner.items = append(inner.items, item{name: name, value: all[key]})
	}
	p.inside("{", inner, indent)
}

// text is a text with expressions in it.
func (m mixed) text() string {
	var b strings.Builder
	b.WriteString(`"`)
	for _, piece := range m {
		if expression, ok := piece.(raw); ok {
			b.WriteString("${" + string(expression) + "}")
			continue
		}
		b.WriteString(escaped(fmt.Sprint(piece)))
	}
	b.WriteString(`"`)
	return b.String()
}

func quoted(text string) string { return `"` + escaped(text) + `"` }

// escaped is literal text between quotes: what would begin an expression does not.
func escaped(text string) string {
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, c)
		case (c == '$' || c == '%') && strings.HasPrefix(text[i+1:], "{"):
			b.WriteString(string(c) + string(c))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
