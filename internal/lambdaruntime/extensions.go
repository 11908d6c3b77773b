package lambdaruntime

import (
	"io/fs"
	"slices"
	"strconv"
)

// ExtensionsDir is where a tree has its extensions, as /opt has on Lambda: programs that run beside each instance of a handler. Layers have theirs
// in a directory of that name too.
const ExtensionsDir = "extensions"

// Extensions are the names of the programs in ExtensionsDir, sorted.
func Extensions(tree fs.FS) []string {
	entries, err := fs.ReadDir(tree, ExtensionsDir)
	if err != nil {
		return nil // there are none
	}
	var names []string
	for _, e := range entries {
		if info, err := fs.Stat(tree, ExtensionsDir+"/"+e.Name()); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			names = append(names, e.Name())
		}
	}
	return names
}

// WithExtensions is a command that starts programs first and then becomes the given one.
func WithExtensions(command, programs []string) []string {
	if len(programs) == 0 {
		return command
	}
	const script = `n=$1; shift; while [ "$n" -gt 0 ]; do "$1" & shift; n=$((n-1)); done; exec "$@"`
	all := []string{"/bin/sh", "-c", script, "sh", strconv.Itoa(len(programs))}
	return slices.Concat(all, programs, command)
}
