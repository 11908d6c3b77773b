package manifest

import (
	"encoding/json"
	"maps"
)

// KeyDoc says what a key of aloft.yml means.
type KeyDoc struct {
	Key     string // with its parents: "functions.FUNCTION.memory"; capitals stand for a name of the user's choice
	Type    string // "duration such as "30s" …"
	Default string // what holds without the key; "" is nothing
	Meaning string // a sentence or two
}

// Reference lists the keys of aloft.yml in the order of its table. What a stage may say again is listed once; it follows
// the keys "stages.STAGE".
func Reference() []KeyDoc {
	var docs []KeyDoc
	for _, doc := range aloftShape().keys {
		docs = append(docs, doc)
		if doc.Key == "stages" {
			docs = append(docs, KeyDoc{
				Key: "stages.STAGE", Type: settingsShape().noun(),
				Meaning: "The keys build, start, static, env, health, drain, timeout, hooks, functions, platform and aws, as above.",
			})
			break
		}
	}
	return docs
}

// Schema returns the JSON Schema (draft 2020-12) of aloft.yml, always the same bytes.
func Schema() []byte {
	schema := maps.Clone(aloftShape().schema)
	maps.Copy(schema, map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "aloft.yml",
		"description": "What a project tells aloft about itself. Every key is optional.",
	})
	text, err := json.MarshalIndent(schema, "", "  ") // sorts keys
	if err != nil {
		return nil // maps of strings and numbers always encode
	}
	return append(text, '\n')
}
