package stack

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/aloft-run/aloft/internal/cfn"
)

// CodeOnly reports whether next differs from old in nothing but the functions' code and the release's number, so that new code
// and a version of it by Lambda's API make the stage what next is. CloudFormation does not see that: before a later update of
// the stack each function has to have the code of the new template (UpdateFunctionCode, without publishing), for CloudFormation
// leaves alone what it believes to be so already.
func CodeOnly(old, next Output) bool {
	if !maps.Equal(old.Parameters, next.Parameters) || len(old.Functions) != len(next.Functions) {
		return false
	}
	a, codeA := withoutCode(old)
	b, codeB := withoutCode(next)
	return a != "" && a == b && codeA != codeB
}

// withoutCode is the text of a template with what every release changes taken out, and that.
func withoutCode(out Output) (text, code string) {
	t := out.Template
	t.Resources, t.Outputs = maps.Clone(t.Resources), maps.Clone(t.Outputs)
	delete(t.Outputs, OutputRelease)
	var codes strings.Builder
	for name, names := range sorted(out.Functions) {
		function, version, alias := t.Resources[names.Function], t.Resources[names.Version], t.Resources[names.Alias]
		function.Properties, alias.Properties = maps.Clone(function.Properties), maps.Clone(alias.Properties)
		version.Properties = maps.Clone(version.Properties)
		part, err := json.Marshal(function.Properties["Code"])
		if err != nil {
			return "", ""
		}
		codes.WriteString(name + string(part))
		for _, key := range []string{"Code", "Description"} {
			delete(function.Properties, key)
		}
		for _, key := range []string{"CodeSha256", "Description"} {
			delete(version.Properties, key)
		}
		delete(alias.Properties, "FunctionVersion")
		delete(t.Resources, names.Version)
		t.Resources[names.Function], t.Resources[names.Alias], t.Resources[names.Function+"Version"] = function, alias, version
	}
	written, err := cfn.Template.JSON(t)
	if err != nil {
		return "", ""
	}
	return string(written), codes.String()
}
