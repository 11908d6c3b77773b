package manifest

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

const sourceLike = `such as "queue:jobs?batch=10" or "schedule:rate(5 minutes)"`

// eventSources is one event source or a list of them, each as a URI, or as a map whose first key is the kind and whose others
// are options.
func eventSources() shape[[]string] {
	one := map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "pattern": `^[a-z]+:.+`},
		map[string]any{"type": "object", "minProperties": 1},
	}}
	const wants = "an event source or a list of them"
	return shape[[]string]{
		wants: wants, like: sourceLike, schema: map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}},
		read: func(d *document, n node) ([]string, error) {
			items := []node{n}
			switch n.kind {
			case list:
				items = n.items
			case text, object:
			default:
				return nil, d.expected(n, wants, sourceLike)
			}
			sources := []string{} // not nil: an empty list says something
			for _, item := range items {
				item.path = n.path
				source, err := d.eventSource(item)
				if err != nil {
					return nil, err
				}
				if slices.Contains(sources, source) {
					return nil, d.fault(item.at, "%s: %s is named twice", n.path, source).WithHint("remove one of the two")
				}
				sources = append(sources, source)
			}
			return sources, nil
		},
	}
}

// eventSource reads one source.
func (d *document) eventSource(n node) (string, error) {
	var uri string
	switch {
	case n.kind == text && strings.Contains(n.text, ":"):
		uri = n.text
	case n.kind == object && len(n.fields) > 0:
		var err error
		if uri, err = d.sourceOfMap(n); err != nil {
			return "", err
		}
	default:
		return "", d.expected(n, "an event source", sourceLike)
	}
	if d.source == nil {
		return uri, nil
	}
	canonical, err := d.source(uri)
	if err != nil {
		fault := d.fault(n.at, "%s: %v", n.path, err)
		if e, ok := errors.AsType[*aloft.Error](err); ok {
			fault.Hint = e.Hint
		}
		return "", fault
	}
	return canonical, nil
}

// sourceOfMap makes a URI of a map.
func (d *document) sourceOfMap(n node) (string, error) {
	var b strings.Builder
	for i, f := range n.fields {
		value := f.value.text
		if !f.value.scalar() {
			if i == 0 || f.value.kind == nothing {
				return "", d.expected(n.below(f), "text", "")
			}
			value = jsonOf(f.value)
		}
		switch i {
		case 0:
			b.WriteString(f.name + ":" + value)
		default:
			b.WriteByte("?&"[min(i-1, 1)])
			b.WriteString(f.name + "=" + strings.NewReplacer("%", "%25", "&", "%26").Replace(value))
		}
	}
	return b.String(), nil
}

// jsonOf is a value as JSON, such as a filter policy.
func jsonOf(n node) string {
	var b strings.Builder
	quoted := func(text string) string {
		q, err := json.Marshal(text)
		if err != nil {
			return `""` // texts can be written
		}
		return string(q)
	}
	switch n.kind {
	case list:
		b.WriteByte('[')
		for i, item := range n.items {
			b.WriteString(strings.Repeat(",", min(i, 1)) + jsonOf(item))
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, f := range n.fields {
			b.WriteString(strings.Repeat(",", min(i, 1)) + quoted(f.name) + ":" + jsonOf(f.value))
		}
		b.WriteByte('}')
	case text:
		b.WriteString(quoted(n.text))
	case nothing:
		b.WriteString("null")
	case number, boolean:
		b.WriteString(n.text)
	}
	return b.String()
}

// eventPath is a URL path for events. It has one reading only, or the outside could reach it by another.
func eventPath() shape[string] {
	schema := map[string]any{"type": "string", "pattern": `^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`}
	return word("a URL path of plain segments", `such as "/internal/events"`, schema, func(n node) (string, bool) {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-/"
		return n.text, n.kind == text && len(n.text) > 1 && n.text[0] == '/' && path.Clean(n.text) == n.text && strings.Trim(n.text, letters) == "" &&
			!strings.Contains(n.text, "/.")
	})
}
