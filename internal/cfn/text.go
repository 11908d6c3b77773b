package cfn

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Text is a value for people, as Fn::Sub would have it: ${Jobs.Arn} for an attribute, ${Jobs} for a reference. What is no
// such function is its JSON, and text is itself.
func Text(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	if function, ok := value.(map[string]any); ok && len(function) == 1 {
		if id, attribute, is := Referred(function); is && attribute != "" {
			return "${" + id + "." + attribute + "}"
		}
		for name, argument := range function {
			switch of := argument.(type) {
			case string:
				switch name {
				case "Ref":
					return "${" + of + "}"
				case "Fn::Sub":
					return of
				}
			case []string:
				if name == "Fn::GetAtt" {
					return "${" + strings.Join(of, ".") + "}"
				}
			}
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
