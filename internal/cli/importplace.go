package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/foreign"
	"github.com/aloft-run/aloft/internal/stack"
)

// inPlace makes of the app of a stack one that goes on in the stack, if it can be. Else it says why not, and the apps are as they were:
// to be deployed beside it.
func (b *awsBackend) inPlace(s foreign.Stack, o importOptions, apps []foreign.App, result *importResult, report aloft.Reporter) ([]foreign.App, error) {
	if o.beside {
		return apps, nil
	}
	if len(apps) > 1 {
		report.Report(aloft.Warning{Text: fmt.Sprintf("the functions of %s have %d packages, which become an app each: they are to be deployed beside the stack", s.Name, len(apps))})
		return apps, nil
	}
	placed, err := foreign.InPlace(s, apps[0], o.stage, b.renderFirst)
	if e, is := errors.AsType[*aloft.Error](err); is && e.Code == aloft.Invalid {
		for line := range strings.Lines(e.Detail) {
			report.Report(aloft.Warning{Text: "not in place: " + strings.TrimSpace(line)})
		}
		if e.Detail == "" {
			report.Report(aloft.Warning{Text: "not in place: " + e.Error()})
		}
		report.Report(aloft.Notice{Text: "the app is to be deployed beside the stack, which stays as it is"})
		return apps, nil
	}
	if err != nil {
		return nil, err
	}
	result.InPlace, result.Imported, result.Left = true, orEmpty(append(placed.Kept, placed.Notes...)), orEmpty(placed.Gone)
	return []foreign.App{placed.App}, nil
}

// renderFirst makes the template of the first release of a stage, as far as it is known before there is a package: the ids of what it
// has are those that it will have.
func (b *awsBackend) renderFirst(release aloft.Release) (cfn.Template, map[string]foreign.IDs, error) {
	object := stack.Object{Bucket: b.session.Bucket(b.region), Key: "code.zip"}
	out, err := renderStack(stack.Input{Release: release, Region: b.region, Code: object, Shim: object})
	ids := map[string]foreign.IDs{}
	for name, names := range out.Functions {
		ids[name] = foreign.IDs{Function: names.Function, Alias: names.Alias}
	}
	return out.Template, ids, err
}
