package manifest

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// parseJSON reads the document as one JSON value.
func parseJSON(d *document) (node, error) {
	if strings.TrimSpace(d.text) == "" {
		return node{kind: nothing, at: place{1, 1}}, nil
	}
	var whole json.RawMessage
	if err := json.Unmarshal([]byte(d.text), &whole); err != nil { // the grammar, trailing data included
		return node{}, jsonFault(d, err)
	}
	decoder := json.NewDecoder(strings.NewReader(d.text))
	decoder.UseNumber()
	p := &jsonParser{doc: d, decoder: decoder, at: place{1, 1}}
	return p.value(0)
}

func jsonFault(d *document, err error) error {
	e, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return d.fault(place{1, 1}, "not JSON: %v", err)
	}
	offset := int(e.Offset) - 1 // Offset counts the bytes read, the offending one included
	if strings.HasPrefix(e.Error(), "unexpected end") {
		return d.fault(placeOf(d.text, len(strings.TrimRight(d.text, " \t\n"))), "the file ends too early").
			WithHint("a closing brace, bracket or quote is missing")
	}
	fault := d.fault(placeOf(d.text, max(offset, 0)), "not JSON: %v", err)
	before := strings.TrimRight(d.text[:max(offset, 0)], " \t\n")
	if strings.HasSuffix(before, ",") && strings.ContainsAny(d.text[offset:offset+1], "}]") {
		return fault.WithHint("remove the comma before the closing bracket")
	}
	return fault
}

// jsonParser builds nodes from tokens. The text is known to be valid JSON.
type jsonParser struct {
	doc     *document
	decoder *json.Decoder
	offset  int   // how far at has come
	at      place // of offset
	values  int
}

// token returns the next token and where it starts.
func (p *jsonParser) token() (json.Token, place, error) {
	text := p.doc.text
	start := int(p.decoder.InputOffset())
	for start < len(text) && strings.IndexByte(" \t\n,:", text[start]) >= 0 {
		start++
	}
	passed := text[p.offset:start]
	if i := strings.LastIndexByte(passed, '\n'); i >= 0 {
		p.at.line += strings.Count(passed, "\n")
		p.at.column = 1
		passed = passed[i+1:]
	}
	p.at.column += utf8.RuneCountInString(passed)
	p.offset = start
	p.values++
	if p.values > maxTokens {
		return nil, p.at, p.doc.fault(p.at, "the file has more than %d parts", maxTokens)
	}
	token, err := p.decoder.Token()
	if err != nil {
		return nil, p.at, jsonFault(p.doc, err)
	}
	return token, p.at, nil
}

func (p *jsonParser) value(depth int) (node, error) {
	token, at, err := p.token()
	if err != nil {
		return node{}, err
	}
	if depth > maxDepth {
		return node{}, p.doc.fault(at, "nested more than %d deep", maxDepth)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return p.list(at, depth)
		}
		return p.object(at, depth)
	case string:
		return node{kind: text, text: v, at: at}, nil
	case json.Number:
		return node{kind: number, text: v.String(), at: at}, nil
	case bool:
		if v {
			return node{kind: boolean, text: "true", at: at}, nil
		}
		return node{kind: boolean, text: "false", at: at}, nil
	default:
		return node{kind: nothing, at: at}, nil
	}
}

func (p *jsonParser) list(at place, depth int) (node, error) {
	n := node{kind: list, at: at}
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, _, err := p.token()
	return n, err
}

func (p *jsonParser) object(at place, depth int) (node, error) {
	n := node{kind: object, at: at}
	seen := map[string]place{}
	for p.decoder.More() {
		token, keyAt, err := p.token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string)
		if err := p.doc.once(seen, name, keyAt); err != nil {
			return node{}, err
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.fields = append(n.fields, field{name, keyAt, value})
	}
	_, _, err := p.token()
	return n, err
}

// once refuses a key that was seen before in the same map.
func (d *document) once(seen map[string]place, name string, at place) error {
	if first, twice := seen[name]; twice {
		return d.fault(at, "key %s is there twice, first on line %d", quote(name), first.line).
			WithHint("keep one of the two")
	}
	seen[name] = at
	return nil
}
