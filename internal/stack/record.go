package stack

import (
	"encoding/json"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// recordKey is where a template's metadata has the record of its release. It is no part of the fingerprint: a release of code alone
// leaves it as it was.
const recordKey = "aloft"

// Record is the metadata of a template, which says what release it is of, without config. What is exported, for others to deploy, is
// of none: its number is 0.
func Record(release aloft.Release) map[string]any {
	plain := release.Clone()
	plain.Config = aloft.SealedConfig{}
	return map[string]any{recordKey: map[string]any{"release": plain}}
}

// Recorded is what a template says of its release; zero if it says nothing.
func Recorded(template cfn.Template) aloft.Release {
	var record struct{ Release aloft.Release }
	text, err := json.Marshal(template.Metadata[recordKey])
	if err != nil || json.Unmarshal(text, &record) != nil {
		return aloft.Release{}
	}
	return record.Release
}
