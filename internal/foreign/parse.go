package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aloft-run/aloft/internal/cfn"
)

// Parse reads a template in JSON as it is, to the last of its properties. It returns an error for what a template of aloft's cannot
// say: one in YAML, or words that are newer than this.
func Parse(text []byte) (cfn.Template, error) {
	var template cfn.Template
	var all map[string]any
	if err := decode(text, &all); err != nil {
		return template, errors.New("its template is not in JSON")
	}
	for name := range all {
		if !slices.Contains([]string{"Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs"}, name) {
			delete(all, name) // what was worked out when the stack was made: Transform, Rules
		}
	}
	for _, r := range section(all, "Resources") {
		if resource, is := r.(map[string]any); is {
			if one, is := resource["DependsOn"].(string); is {
				resource["DependsOn"] = []any{one}
			}
		}
	}
	for _, p := range section(all, "Parameters") {
		if parameter, is := p.(map[string]any); is && parameter["NoEcho"] != nil {
			parameter["NoEcho"] = parameter["NoEcho"] == true || parameter["NoEcho"] == "true"
		}
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return template, fmt.Errorf("read the template: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&template); err != nil {
		return template, fmt.Errorf("its template says what aloft.yml cannot: %w", err)
	}
	return template, nil
}

func section(template map[string]any, name string) map[string]any {
	all, _ := template[name].(map[string]any)
	return all
}

func decode(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // large numbers stay what they are
	return d.Decode(to)
}
