package foreign

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// writeYAML writes a value, as JSON is decoded, as YAML below a key: objects and lists a line each, all else as JSON has it, which YAML
// reads as the same.
func writeYAML(b *strings.Builder, indent string, value any) {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		for _, key := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(b, "%s%s:", indent, keyYAML(key))
			writeYAML(b, indent+"  ", v[key])
		}
	case []any:
		if len(v) == 0 || flat(v) {
			fmt.Fprintf(b, " %s\n", inJSON(v))
			return
		}
		b.WriteString("\n")
		for _, one := range v {
			fmt.Fprintf(b, "%s-", indent)
			writeYAML(b, indent+"  ", one)
		}
	default:
		fmt.Fprintf(b, " %s\n", inJSON(v))
	}
}

// flat reports whether a list has nothing but short values.
func flat(list []any) bool {
	const most = 100
	for _, one := range list {
		switch one.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return len(inJSON(list)) <= most
}

func inJSON(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// keyYAML is a key as it is if YAML takes it for nothing else, as all names of CloudFormation's are.
func keyYAML(key string) string {
	upper := key != "" && key[0] >= 'A' && key[0] <= 'Z'
	plain := upper && !strings.ContainsFunc(key, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
	if plain && !slices.Contains([]string{"y", "n", "yes", "no", "true", "false", "on", "off", "null"}, strings.ToLower(key)) || strings.HasPrefix(key, "Fn::") {
		return key
	}
	return inJSON(key)
}
