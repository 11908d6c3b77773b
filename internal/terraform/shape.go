package terraform

import (
	"errors"
	"maps"
	"slices"

	"github.com/aloft-run/aloft/internal/cfn"
)

// kind is how a type of CloudFormation's is translated.
type kind struct {
	name       string // in Terraform
	shape      shape
	attributes map[string]string // what Ref ("") and Fn::GetAtt give, by the name in the template
	from       string            // what has those attributes, if it is another than name

	more  func(t *translation, id string, r cfn.Resource, main *section) error // what it needs besides
	whole func(t *translation, id string, r cfn.Resource) error                // in place of all of that
}

// shape says what becomes of properties. A property that it does not name has no translation.
type shape map[string]field

// field puts a property into a block.
type field func(t *translation, to *body, v any) error

// as is an argument of the same value.
func as(name string) field {
	return func(t *translation, to *body, v any) error {
		made, err := t.value(v)
		to.set(name, made)
		return err
	}
}

// text is an argument that is JSON text.
func text(name string) field {
	return func(t *translation, to *body, v any) error {
		made, err := t.value(v)
		if written, ok := made.(string); ok {
			to.set(name, written)
		} else {
			to.set(name, encoded{made})
		}
		return err
	}
}

// none is a property that Terraform needs nothing for.
func none(*translation, *body, any) error { return nil }

// block is a block of an object.
func block(name string, s shape) field {
	return func(t *translation, to *body, v any) error { return t.fill(to.block(name), s, v) }
}

// blocks are a block for each object of a list.
func blocks(name string, s shape) field {
	return func(t *translation, to *body, v any) error {
		list, ok := v.([]any)
		if !ok {
			return t.refuse(name + " that is no list")
		}
		for _, one := range list {
			if err := t.fill(to.block(name), s, one); err != nil {
				return err
			}
		}
		return nil
	}
}

// flat are arguments of the block itself, of an object within it.
func flat(s shape) field {
	return func(t *translation, to *body, v any) error { return t.fill(to, s, v) }
}

// pairs is a map, of a list of objects with a key and a value each.
func pairs(name, key, value string) field {
	return func(t *translation, to *body, v any) error {
		all := map[string]any{}
		list, _ := v.([]any)
		for _, one := range list {
			pair, _ := one.(map[string]any)
			called, ok := pair[key].(string)
			if !ok {
				return t.refuse(name + " without a " + key)
			}
			made, err := t.value(pair[value])
			if err != nil {
				return err
			}
			all[called] = made
		}
		to.set(name, all)
		return nil
	}
}

// tags are those of types whose tags are a list.
func tags() field { return pairs("tags", "Key", "Value") }

// list is an argument that is a list of the one value.
func list(name string) field {
	return func(t *translation, to *body, v any) error {
		made, err := t.value(v)
		to.set(name, []any{made})
		return err
	}
}

// fill translates the properties of an object into a block.
func (t *translation) fill(to *body, s shape, v any) error {
	properties, ok := v.(map[string]any)
	if !ok && v != nil {
		return t.refuse("something that is no object where one belongs")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		put := s[name]
		if put == nil {
			return &missing{id: t.now, property: name}
		}
		err := put(t, to, properties[name])
		if inner, ok := errors.AsType[*missing](err); ok && inner.id == t.now && inner.property != "" {
			return &missing{id: t.now, property: name + "." + inner.property}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
