package manifest

import (
	"maps"
	"slices"
	"strings"
)

// shape says what a value may be: it reads one, and describes itself to messages, the schema and the reference.
type shape[T any] struct {
	wants  string         // "a duration", completes "expected …"
	like   string         // "such as 30s", completes wants; may be ""
	schema map[string]any // JSON Schema
	keys   []KeyDoc       // the keys below, relative
	read   func(d *document, n node) (T, error)
}

// noun is the type for the reference: without its article.
func (s shape[T]) noun() string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(s.wants, "a "), "an ")+" "+s.like, " ")
}

// key is a key of an object that is read into a T.
type key[T any] struct {
	doc    KeyDoc
	below  []KeyDoc
	schema map[string]any
	read   func(d *document, n node, into *T) error
}

// bind makes a key whose value goes to a place in T.
func bind[T, V any](doc KeyDoc, s shape[V], at func(*T) *V) key[T] {
	doc.Type = s.noun()
	return key[T]{doc: doc, below: s.keys, schema: s.schema, read: func(d *document, n node, into *T) error {
		v, err := s.read(d, n)
		if err == nil {
			*at(into) = v
		}
		return err
	}}
}

// lift makes keys of a part the keys of the whole.
func lift[T, P any](keys []key[P], part func(*T) *P) []key[T] {
	lifted := make([]key[T], len(keys))
	for i, k := range keys {
		lifted[i] = key[T]{k.doc, k.below, k.schema, func(d *document, n node, into *T) error {
			return k.read(d, n, part(into))
		}}
	}
	return lifted
}

// group makes a key whose own keys fill the same T.
func group[T any](name string, keys ...key[T]) key[T] {
	return key[T]{doc: KeyDoc{Key: name}, read: func(d *document, n node, into *T) error {
		return readKeys(d, n, keys, into)
	}}
}

// unused makes keys that another tool knows and that have no effect here.
func unused[T any](names ...string) []key[T] {
	keys := make([]key[T], len(names))
	for i, name := range names {
		keys[i] = remark[T](name, "is not used by aloft")
	}
	return keys
}

// remark makes a key that only leads to a warning, if text is not "".
func remark[T any](name, text string) key[T] {
	return key[T]{doc: KeyDoc{Key: name}, read: func(d *document, n node, _ *T) error {
		if text != "" {
			d.warn(n.key, "key %s %s", quote(n.path), text)
		}
		return nil
	}}
}

// mapOf is a map with names of the user's choice. The placeholder stands for a name in the reference.
func mapOf[V any](placeholder string, names naming, s shape[V]) shape[map[string]V] {
	read := func(d *document, n node) (map[string]V, error) {
		if n.kind == nothing {
			return nil, nil
		}
		if n.kind != object {
			return nil, d.expected(n, "a map of keys", "from "+placeholder+" to "+s.wants)
		}
		values := map[string]V{}
		for _, f := range n.fields {
			name, err := names.check(d, f)
			if err != nil {
				return nil, err
			}
			if name == "" {
				continue
			}
			if values[name], err = s.read(d, n.below(f)); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	keys := under(placeholder, s.keys)
	return shape[map[string]V]{"a map of keys", "from " + placeholder + " to " + s.wants, map[string]any{
		"type": []any{"object", "null"}, "propertyNames": names.schema, "additionalProperties": s.schema,
	}, keys, read}
}

// objectOf is a map with the given keys only.
func objectOf[T any](keys ...key[T]) shape[T] {
	properties := map[string]any{}
	var docs []KeyDoc
	for _, k := range keys {
		schema := maps.Clone(k.schema)
		if schema == nil {
			schema = map[string]any{}
		}
		schema["description"] = k.doc.Meaning
		properties[k.doc.Key] = schema
		docs = append(append(docs, k.doc), under(k.doc.Key, k.below)...)
	}
	return shape[T]{
		"a map of keys", "",
		map[string]any{"type": []any{"object", "null"}, "properties": properties, "additionalProperties": false},
		docs,
		func(d *document, n node) (T, error) {
			var v T
			err := readKeys(d, n, keys, &v)
			return v, err
		},
	}
}

// under puts the keys below another one.
func under(parent string, keys []KeyDoc) []KeyDoc {
	moved := slices.Clone(keys)
	for i := range moved {
		moved[i].Key = parent + "." + moved[i].Key
	}
	return moved
}

// readKeys reads the fields of an object. No value at all ("hooks:" in YAML) is an object without keys.
func readKeys[T any](d *document, n node, keys []key[T], into *T) error {
	if n.kind == nothing {
		return nil
	}
	if n.kind != object {
		return d.expected(n, "a map of keys", "with the keys "+keyNames(keys))
	}
	for _, f := range n.fields {
		i := slices.IndexFunc(keys, func(k key[T]) bool { return k.doc.Key == f.name })
		if i < 0 {
			if err := unknown(d, f, keys); err != nil {
				return err
			}
			continue
		}
		if err := keys[i].read(d, n.below(f), into); err != nil {
			return err
		}
	}
	return nil
}

// unknown tells of a key that is not in the table: a mistake in our file, a warning in that of another tool.
func unknown[T any](d *document, f field, keys []key[T]) error {
	if d.foreign {
		d.warn(f.at, "unknown key %s is ignored", quote(f.name))
		return nil
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.doc.Key
	}
	fault := d.fault(f.at, "unknown key %s", quote(f.name))
	if near := nearest(f.name, names); near != "" {
		return fault.WithHint("did you mean %q?", near)
	}
	return fault.WithHint("the keys here are %s", keyNames(keys))
}

func keyNames[T any](keys []key[T]) string {
	var names []string
	for _, k := range keys {
		if k.schema != nil { // not those that only lead to a warning
			names = append(names, k.doc.Key)
		}
	}
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// either reads a map of keys as long, everything else as short.
func either[T any](short, long shape[T]) shape[T] {
	return shape[T]{
		short.wants, strings.TrimPrefix(short.like+", or "+long.noun(), ", "),
		map[string]any{"anyOf": []any{short.schema, long.schema}},
		long.keys,
		func(d *document, n node) (T, error) {
			if n.kind == object {
				return long.read(d, n)
			}
			return short.read(d, n)
		},
	}
}

// expected tells of a value of the wrong type. Like, if not "", makes wants more exact for the hint.
func (d *document) expected(n node, wants, like string) error {
	if n.path == "" {
		return d.fault(n.at, "expected %s, not %s", wants, n).WithHint("write lines such as name: shop")
	}
	fault := d.fault(n.at, "%s: expected %s, not %s", n.path, wants, n)
	if like == "" {
		return fault
	}
	return fault.WithHint("write %s as %s %s", n.path, wants, like)
}
