package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// ErrEnvironment is what Render's error wraps if the variables of a function are more than Lambda takes. Those of the config can be
// in a secret instead: see [Config].
var ErrEnvironment = errors.New("too many variables")

const (
	maxEnvironment = 4 << 10 // bytes of the JSON of all variables
	// What CloudFormation fills in is not known here: an ARN or a URL, or a part of one in a text.
	filledValue, filledPart = 128, 64
)

// placeholder is what CloudFormation fills in within a text.
var placeholder = regexp.MustCompile(`\$\{[^!}][^}]*\}`)

// fits returns Invalid if the variables are more than Lambda takes: it counts their JSON, with its quotes and escapes. Known are the
// values of parameters.
func fits(f aloft.Function, env map[string]any, known map[string]string) error {
	type size struct {
		name  string
		bytes int
	}
	total, sizes := len("{}"), []size{}
	for name, value := range env {
		text, isKnown := known[name]
		if !isKnown {
			text = longest(value)
		}
		n := jsonLength(name) + jsonLength(text) + len(":,")
		total, sizes = total+n, append(sizes, size{name, n})
	}
	if total <= maxEnvironment {
		return nil
	}
	slices.SortFunc(sizes, func(a, b size) int {
		if a.bytes != b.bytes {
			return b.bytes - a.bytes
		}
		return strings.Compare(a.name, b.name)
	})
	var largest []string
	for _, one := range sizes[:min(3, len(sizes))] {
		largest = append(largest, fmt.Sprintf("%s %d", one.name, one.bytes))
	}
	return aloft.Errorf(aloft.Invalid, "%w: those of %s are %d bytes of JSON, and AWS Lambda takes %d: %s are the largest",
		ErrEnvironment, f.Name, total, maxEnvironment, strings.Join(largest, ", ")).
		WithHint("put large values into files of the app, or into the config: what is too much there goes into a secret")
}

// longest is the text that a variable's value has at most once CloudFormation has filled it in.
func longest(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case map[string]any:
		if text, is := value["Fn::Sub"].(string); is {
			text = placeholder.ReplaceAllLiteralString(text, strings.Repeat("x", filledPart))
			return strings.ReplaceAll(text, "${!", "${")
		}
	}
	return strings.Repeat("x", filledValue)
}

// jsonLength is how many bytes a text has as JSON.
func jsonLength(text string) int {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil { // never for a text
		return len(text)
	}
	return b.Len() - len("\n")
}
