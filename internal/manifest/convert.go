package manifest

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// converter makes nodes of a YAML tree, expanding aliases and merge keys within limits.
type converter struct {
	doc     *document
	anchors map[string]anchor
	values  int
}

// anchor is a named value, known once it is complete: a value cannot contain itself.
type anchor struct {
	node   node
	values int // in it
}

func (c *converter) convert(y ast.Node, depth int) (node, error) {
	at := placeOfToken(y.GetToken())
	c.values++
	switch {
	case depth > maxDepth:
		return node{}, c.doc.fault(at, "nested more than %d deep", maxDepth)
	case c.values > maxValues:
		return node{}, c.doc.fault(at, "the file has more than %d values, aliases included", maxValues)
	}
	switch v := y.(type) {
	case *ast.NullNode:
		return node{kind: nothing, at: at}, nil
	case *ast.StringNode:
		return node{kind: text, text: v.Value, at: at}, nil
	case *ast.LiteralNode:
		return node{kind: text, text: v.Value.Value, at: at}, nil
	case *ast.BoolNode:
		return node{kind: boolean, text: v.Token.Value, at: at}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return node{kind: number, text: y.GetToken().Value, at: at}, nil
	case *ast.SequenceNode:
		return c.list(v, depth)
	case *ast.MappingNode:
		return c.object(v.Values, at, depth)
	case *ast.MappingValueNode:
		return c.object([]*ast.MappingValueNode{v}, at, depth)
	case *ast.AnchorNode:
		return c.anchor(v, depth)
	case *ast.AliasNode:
		return c.alias(v)
	case *ast.TagNode:
		return node{}, c.doc.fault(at, "YAML tags such as %s are not supported", quote(v.Start.Value)).
			WithHint("remove the tag; put text in quotes")
	default:
		return node{}, c.doc.fault(at, "this kind of YAML is not supported here")
	}
}

func (c *converter) list(y *ast.SequenceNode, depth int) (node, error) {
	n := node{kind: list, at: placeOfToken(y.Start)}
	for _, value := range y.Values {
		if item, is := glued(value); is {
			n.items = append(n.items, item)
			continue
		}
		item, err := c.convert(value, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	return n, nil
}

func (c *converter) object(pairs []*ast.MappingValueNode, at place, depth int) (node, error) {
	n := node{kind: object, at: at}
	if len(pairs) > 0 && !pairs[0].IsFlowStyle {
		n.at = placeOfToken(pairs[0].Key.GetToken()) // the parser's token is the colon
	}
	seen := map[string]place{}
	var merged []field
	for _, pair := range pairs {
		value, err := c.convert(pair.Value, depth+1)
		if err != nil {
			return node{}, err
		}
		keyAt := placeOfToken(pair.Key.GetToken())
		if pair.Key.IsMergeKey() {
			fields, err := c.merge(value, keyAt)
			if err != nil {
				return node{}, err
			}
			merged = append(merged, fields...)
			continue
		}
		name, ok := keyName(pair.Key)
		if !ok {
			return node{}, c.doc.fault(keyAt, "a key must be plain text")
		}
		if err := c.doc.once(seen, name, keyAt); err != nil {
			return node{}, err
		}
		n.fields = append(n.fields, field{name, keyAt, value})
	}
	for _, f := range merged { // the map's own keys win, then the first merged map
		if _, known := seen[f.name]; !known {
			seen[f.name] = f.at
			n.fields = append(n.fields, f)
		}
	}
	return n, nil
}

func keyName(key ast.MapKeyNode) (string, bool) {
	switch v := key.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return key.GetToken().Value, true
	default:
		return "", false
	}
}

// merge returns the fields that "<<: value" brings.
func (c *converter) merge(value node, at place) ([]field, error) {
	if value.kind == object {
		return slices.Clone(value.fields), nil
	}
	var fields []field
	for _, item := range value.items {
		if item.kind != object {
			return nil, c.doc.fault(at, "<<: expected a map of keys, not %s", item)
		}
		fields = append(fields, item.fields...)
	}
	if value.kind != list {
		return nil, c.doc.fault(at, "<<: expected a map of keys, not %s", value)
	}
	return fields, nil
}

func (c *converter) anchor(y *ast.AnchorNode, depth int) (node, error) {
	before := c.values
	n, err := c.convert(y.Value, depth+1)
	if err != nil {
		return node{}, err
	}
	c.anchors[y.Name.GetToken().Value] = anchor{n, c.values - before}
	return n, nil
}

func (c *converter) alias(y *ast.AliasNode) (node, error) {
	at := placeOfToken(y.Start)
	name := y.Value.GetToken().Value
	a, known := c.anchors[name]
	if !known {
		return node{}, c.doc.fault(at, "no anchor &%s before this alias", bare(name))
	}
	c.values += a.values
	if c.values > maxValues {
		return node{}, c.doc.fault(at, "the file has more than %d values, aliases included", maxValues)
	}
	return a.node, nil
}
