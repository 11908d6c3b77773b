package eventsource

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/aloft-run/aloft/internal/eventpattern"
)

// maxPatterns is how many patterns a filter may have, as on AWS with its quota raised.
const maxPatterns = 10

// Filter says which records of a source reach the function: those that one of its patterns lets through. With the others the
// source is done, unseen. The zero value lets all through.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
type Filter struct {
	content  string // the name in a record of what was sent
	patterns []*eventpattern.Pattern
}

// JSON reads a JSON value, with numbers as they are written; nil if there is none. White space and the order of keys say nothing.
func (o *Options) JSON(name string) any {
	text, ok := o.value(name)
	if !ok || text == "" {
		return nil
	}
	value, err := eventpattern.Decode(text)
	if err != nil {
		o.err = o.uri.Fault("%s is no JSON: %v", name, err).WithHint(filterLike)
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		o.err = o.uri.Fault("%s: %v", name, err)
		return nil
	}
	odd := strings.NewReplacer("\x7f", `\u007f`, "\ufffd", `\ufffd`) // no line of text has them: see split
	o.kept[name] = odd.Replace(strings.TrimSpace(b.String()))
	return value
}

const filterLike = `such as filter={"kind":["new"]}`

// Policy reads a JSON object and returns its text, "" if there is none.
func (o *Options) Policy(name string) string {
	value := o.JSON(name)
	if _, is := value.(map[string]any); value != nil && !is {
		o.err = o.uri.Fault("%s is no JSON object", name).WithHint(filterLike)
	}
	return o.kept[name]
}

// Filter reads a pattern of AWS's event patterns, or a list of them. Content is the name in a record of what was sent, which
// patterns ask for as text if plain, and as JSON.
func (o *Options) Filter(content string, plain bool) Filter {
	f := Filter{content: content}
	value := o.JSON("filter")
	list, isList := value.([]any)
	if value != nil && !isList {
		list = []any{value}
	}
	like := `such as filter={"` + content + `":{"kind":["new"]}}`
	if len(list) > maxPatterns {
		o.err = o.uri.Fault("%d filters are too many, %d are the most", len(list), maxPatterns)
	}
	for _, one := range list {
		p, err := eventpattern.Of(one)
		if err != nil {
			o.err = o.uri.Fault("filter: %v", err).WithHint("%s", like)
			return f
		}
		if itself, _ := p.Asks(content); itself && !plain {
			o.err = o.uri.Fault("filter: %s is JSON: ask for names in it", content).WithHint("%s", like)
		}
		f.patterns = append(f.patterns, p)
	}
	return f
}

// Lets reports whether the filter lets a record through that brings content, which takes its place in the record for patterns:
// as JSON if it is some, else as text. A pattern that asks for the other of the two lets nothing through.
func (f Filter) Lets(record func() any, content []byte) bool {
	if len(f.patterns) == 0 {
		return true
	}
	object, err := objectOf(record())
	if err != nil {
		return true // records can be written
	}
	isJSON := false
	object[f.content] = string(content)
	if v, err := eventpattern.Decode(string(content)); err == nil {
		switch v.(type) {
		case map[string]any, []any:
			object[f.content], isJSON = v, true
		}
	}
	for _, p := range f.patterns {
		itself, below := p.Asks(f.content)
		if other := itself != below && itself == isJSON; !other && p.Match(object) {
			return true
		}
	}
	return false
}

func objectOf(record any) (map[string]any, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	v, err := eventpattern.Decode(string(text))
	object, _ := v.(map[string]any)
	return object, err
}
