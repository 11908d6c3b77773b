package manifest

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/aloft-run/aloft"
)

// parseYAML reads the document as one YAML document.
func parseYAML(d *document) (n node, err error) {
	defer func() { // strangers' bytes meet a parser that we did not write
		if r := recover(); r != nil {
			n, err = node{}, d.fault(place{1, 1}, "cannot be read as YAML")
		}
	}()
	tokens := lexer.Tokenize(d.text)
	if err := checkTokens(d, tokens); err != nil {
		return node{}, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // duplicates are told by us, in our words
	if err != nil {
		return node{}, yamlFault(d, err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		if body != nil {
			return node{}, d.fault(startOf(doc), "a second YAML document begins here").
				WithHint("keep one document in the file")
		}
		body = doc.Body
	}
	if body == nil {
		return node{kind: nothing, at: place{1, 1}}, nil
	}
	c := &converter{doc: d, anchors: map[string]anchor{}}
	return c.convert(body, 0)
}

// checkTokens bounds what the parser has to do: it recurses, and takes quadratic time in nesting.
func checkTokens(d *document, tokens token.Tokens) error {
	depth := 0
	for i, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		default:
		}
		switch {
		case depth > maxDepth:
			return d.fault(placeOfToken(t), "nested more than %d deep", maxDepth)
		case i >= maxTokens:
			return d.fault(placeOfToken(t), "the file has more than %d parts", maxTokens)
		}
	}
	return nil
}

// yamlFault tells a syntax error in our form.
func yamlFault(d *document, err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return d.fault(place{1, 1}, "not YAML: %s", firstLine(err.Error()))
	}
	at := placeOfToken(syntax.GetToken())
	for line := at.line; line <= at.line+1; line++ { // some errors are found at the token before the tab
		if column, found := tabIndent(d.line(line)); found {
			return d.fault(place{line, column}, "a tab is used for indentation").WithHint("indent with spaces")
		}
	}
	if next := d.line(at.line + 1); strings.Contains(syntax.GetMessage(), "mapping value") && indent(next) > indent(d.line(at.line)) {
		return d.fault(place{at.line + 1, indent(next) + 1}, "this line is indented more than the one before, which has a value").
			WithHint("align it with the keys it belongs to")
	}
	return yamlHint(d.fault(at, "not YAML: %s", firstLine(syntax.GetMessage())), syntax.GetMessage())
}

func yamlHint(fault *aloft.Error, message string) *aloft.Error {
	switch {
	case strings.Contains(message, "reserved character"), strings.Contains(message, "directive"):
		return fault.WithHint("put the value in quotes")
	case strings.Contains(message, "mapping value is not allowed"):
		return fault.WithHint("put a value that contains a colon and a space in quotes")
	case strings.Contains(message, "not found"), strings.Contains(message, "could not find"):
		return fault.WithHint("a closing bracket, brace or quote is missing")
	default:
		return fault.WithHint("check indentation and quotes around this place")
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return bare(line)
}

// tabIndent returns the column of the first tab in the white space that begins a line.
func tabIndent(line string) (int, bool) {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	i := strings.IndexByte(indent, '\t')
	return i + 1, i >= 0
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func placeOfToken(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}

func startOf(doc *ast.DocumentNode) place {
	if doc.Start != nil {
		return placeOfToken(doc.Start)
	}
	return placeOfToken(doc.Body.GetToken())
}
