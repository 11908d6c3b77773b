package manifest

import "fmt"

// kind says what a value is, in the words of messages.
type kind string

const (
	nothing kind = "nothing"
	text    kind = "text"
	number  kind = "a number"
	boolean kind = "true or false"
	list    kind = "a list"
	object  kind = "a map of keys"
)

// node is a value of a file, YAML or JSON, with its place.
type node struct {
	kind   kind
	text   string // of a scalar, as written but unquoted
	at     place
	key    place  // of the key whose value it is
	path   string // keys that lead here: "functions.web.memory"
	items  []node
	fields []field
}

// field is a key with its value.
type field struct {
	name  string
	at    place
	value node
}

// scalar tells whether n is text, a number or a boolean.
func (n node) scalar() bool { return n.kind == text || n.kind == number || n.kind == boolean }

// get returns the value of a key.
func (n node) get(name string) (node, bool) {
	for _, f := range n.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return node{}, false
}

// below returns the field's value with its path.
func (n node) below(f field) node {
	v := f.value
	v.path, v.key = f.name, f.at
	if v.kind == nothing {
		v.at = f.at // "key:" without a value has no other place
	}
	if n.path != "" {
		v.path = n.path + "." + f.name
	}
	return v
}

// String says what the value is, for "not …" in messages.
func (n node) String() string {
	switch n.kind {
	case text:
		return quote(n.text)
	case number:
		return "the number " + bare(n.text)
	case boolean:
		return n.text
	default:
		return string(n.kind)
	}
}

// quote quotes a text of a file for a message: one line, no control characters, not endless.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

// bare is the same without quotes.
func bare(s string) string { return printable([]rune(shorten(s))) }

func shorten(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
