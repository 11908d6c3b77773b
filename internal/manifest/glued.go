package manifest

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// glued is the text of an item such as uploads:read, which the parser takes for a map when its list is inside of braces: to
// YAML a colon without a space after it is a letter, unless what is before it is quoted.
// https://yaml.org/spec/1.2.2/#733-plain-style
func glued(y ast.Node) (node, bool) {
	m, ok := y.(*ast.MappingNode)
	if !ok || m.GetToken().Type != token.MappingValueType || len(m.Values) != 1 {
		return node{}, false
	}
	key, plain := m.Values[0].Key.(*ast.StringNode)
	value := m.Values[0].Value.GetToken()
	if _, scalar := m.Values[0].Value.(ast.ScalarNode); !plain || !scalar || key.Token.Type != token.StringType || value.Type == token.DoubleQuoteType || value.Type == token.SingleQuoteType {
		return node{}, false
	}
	colon, at := placeOfToken(m.GetToken()), placeOfToken(value)
	if colon.line != at.line || colon.column+1 != at.column {
		return node{}, false
	}
	return node{kind: text, text: key.Value + ":" + value.Value, at: placeOfToken(key.Token)}, true
}
