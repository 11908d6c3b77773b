// Package jsondiff compares two JSON texts by what they say: the order of members and spaces do not count. It knows not
// where they come from.
package jsondiff

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Difference is a place at which two texts differ. Before or After is empty if there is nothing at the place.
type Difference struct {
	Path   string          `json:"path"` // such as items[0].name; "" is the whole
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Compare returns the differences by path, in order; nil if the texts say the same. What is no JSON is compared as text.
// Strings that hold JSON objects or arrays, as bodies of HTTP do, are compared by what these say.
func Compare(before, after []byte) []Difference {
	var d differences
	d.compare("", parse(before), parse(after))
	return d
}

func parse(text []byte) any {
	var value any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if json.Valid(text) && d.Decode(&value) == nil {
		return value
	}
	return string(text)
}

type differences []Difference

func (d *differences) compare(path string, before, after any) {
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			d.objects(path, b, a)
			return
		}
	case []any:
		if a, ok := after.([]any); ok {
			d.arrays(path, b, a)
			return
		}
	case string:
		a, ok := after.(string)
		if ok && a == b {
			return
		}
		if ok && nested(a) && nested(b) {
			d.compare(path, parse([]byte(b)), parse([]byte(a)))
			return
		}
	default:
		if equal(before, after) {
			return
		}
	}
	*d = append(*d, Difference{path, text(before), text(after)})
}

// nested reports whether a string holds JSON of some structure.
func nested(text string) bool {
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
}

// equal compares null, booleans and numbers: 1 and 1.0 are the same.
func equal(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, alsoNumber := b.(json.Number)
	if !isNumber || !alsoNumber {
		return a == b
	}
	if x == y {
		return true
	}
	f, err := x.Float64()
	g, err2 := y.Float64()
	return err == nil && err2 == nil && f == g && (!isInteger(x) || !isInteger(y)) // large integers have no exact float
}

func isInteger(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

func (d *differences) objects(path string, before, after map[string]any) {
	names := slices.Sorted(maps.Keys(before))
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b, inBefore := before[name]
		a, inAfter := after[name]
		at := member(path, name)
		switch {
		case !inAfter:
			*d = append(*d, Difference{Path: at, Before: text(b)})
		case !inBefore:
			*d = append(*d, Difference{Path: at, After: text(a)})
		default:
			d.compare(at, b, a)
		}
	}
}

func (d *differences) arrays(path string, before, after []any) {
	for i := range max(len(before), len(after)) {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case i >= len(after):
			*d = append(*d, Difference{Path: at, Before: text(before[i])})
		case i >= len(before):
			*d = append(*d, Difference{Path: at, After: text(after[i])})
		default:
			d.compare(at, before[i], after[i])
		}
	}
}

// member is the path of a member of an object.
func member(path, name string) string {
	if name == "" || strings.ContainsAny(name, `.[]"' `) {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func text(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}
