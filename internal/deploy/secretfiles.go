package deploy

import (
	"fmt"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/source"
)

// warnOfEnvFiles says which files of a package look as if config was kept in them.
func warnOfEnvFiles(tree *source.Tree, report aloft.Reporter) {
	for _, e := range tree.Entries() {
		name := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
		if strings.HasSuffix(strings.ToLower(name), ".env") {
			report.Report(aloft.Warning{Text: fmt.Sprintf("%s is shipped with the app: if it holds secrets, move it out of the app's directory or name it in .gitignore", e.Path)})
		}
	}
}
