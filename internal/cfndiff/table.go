package cfndiff

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

//go:generate sh -c "python3 ../../tools/replacements.py > replacements.json.new && mv replacements.json.new replacements.json"

//go:embed replacements.json
var replacements []byte

// Table is which properties CloudFormation replaces a resource for. A property that it does not name is changed in place.
type Table struct {
	Date   string           `json:"date"`   // when it was made
	Source string           `json:"source"` // of what
	Types  map[string]Rules `json:"types"`
}

// Rules are the paths of properties of one type, their parts joined by "/"; "*" is every item of a list.
type Rules struct {
	Always []string `json:"always"`
	Maybe  []string `json:"maybe"` // depending on the values
}

// Replacements is the table.
func Replacements() (Table, error) {
	var t Table
	if err := json.Unmarshal(replacements, &t); err != nil {
		return t, fmt.Errorf("read the table of replacements: %w", err)
	}
	return t, nil
}

// Fixed are the properties that a resource has and another one of its type lacks, and that cannot be set without a replacement.
func (t Table) Fixed(with, without cfn.Resource) []string {
	_, causes := t.replaces(without, with)
	return causes
}

// replaces says whether a change of a resource replaces it, and because of which properties. Nobody knows of a type that the
// table lacks.
func (t Table) replaces(a, b cfn.Resource) (aloft.Replacement, []string) {
	rules, known := t.Types[a.Type]
	if !known {
		if reflect.DeepEqual(a.Properties, b.Properties) {
			return "", nil
		}
		return aloft.ReplaceMaybe, nil
	}
	if causes := changed(rules.Always, a, b); len(causes) > 0 {
		return aloft.ReplaceAlways, causes
	}
	if causes := changed(rules.Maybe, a, b); len(causes) > 0 {
		return aloft.ReplaceMaybe, causes
	}
	return "", nil
}

func changed(paths []string, a, b cfn.Resource) []string {
	var causes []string
	for _, path := range paths {
		parts := strings.Split(path, "/")
		if !reflect.DeepEqual(at(a.Properties, parts), at(b.Properties, parts)) && !slices.Contains(causes, path) {
			causes = append(causes, path)
		}
	}
	return causes
}

// at is what a path leads to; a list with an item each if it goes through one.
func at(value any, path []string) any {
	if len(path) == 0 {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		return at(v[path[0]], path[1:])
	case []any:
		rest := path
		if path[0] == "*" {
			rest = path[1:]
		}
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = at(item, rest)
		}
		return items
	}
	return nil
}
