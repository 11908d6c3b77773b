package buildpack

import (
	"slices"
	"strings"
)

// WithPath returns a shell command line that runs line with directories of the tree before PATH. The line runs in the tree.
// A simple command stays one, so that it can replace its shell and gets signals itself.
func WithPath(line string, dirs ...string) string {
	if line == "" || len(dirs) == 0 {
		return line
	}
	var path strings.Builder
	for _, dir := range dirs {
		path.WriteString("$PWD/" + dir + ":")
	}
	path.WriteString("$PATH")
	if simple(line) {
		return `env PATH="` + path.String() + `" ` + line
	}
	return `export PATH="` + path.String() + `"; ` + line
}

// simple reports whether a line is one command, perhaps with assignments before it, that env can run.
func simple(line string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	special := []string{
		".", ":", "!", "{", "[", "case", "cd", "command", "eval", "exec", "export", "for", "if", "set", "source", "trap", "ulimit", "umask",
		"unset", "until", "while",
	}
	return !strings.ContainsAny(line, ";&|<>()`\n#") && !slices.Contains(special, first)
}
