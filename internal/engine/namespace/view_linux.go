package namespace

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/program"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// view translates the paths of a sandbox to those of the machine.
func (e *Engine) view(spec engine.Spec) program.View {
	same := slices.Concat(systemDirs(), e.Visible, spec.Shared)
	return func(path string) string {
		path = filepath.Clean(path)
		if rest, ok := strings.CutPrefix(path, treeDir); ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(spec.Tree, rest)
		}
		if rest, ok := strings.CutPrefix(path, optDir+"/"); ok && spec.Opt != "" {
			if own := filepath.Join(spec.Opt, rest); exists(own) {
				return own
			}
		}
		if within(path, same) || path == "/" {
			return path
		}
		return ""
	}
}
