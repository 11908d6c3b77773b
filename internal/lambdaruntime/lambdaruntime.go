// Package lambdaruntime knows the runtimes of AWS Lambda by their names: how long AWS keeps each, which program runs its
// handlers on this machine, and the small clients of the Runtime API that load them. It finds out which one a handler is for.
package lambdaruntime

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
)

//go:embed files
var files embed.FS

// Family is what runtimes of one language have in common.
type Family string

// The families.
const (
	Node     Family = "nodejs"
	Python   Family = "python"
	Ruby     Family = "ruby"
	Java     Family = "java"
	Provided Family = "provided" // a program that speaks the Runtime API itself
)

// Install writes the clients of the Runtime API to a directory, from which sandboxes run them.
func Install(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("install the runtimes: %w", err)
	}
	entries, err := fs.ReadDir(files, "files")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := fs.ReadFile(files, path.Join("files", e.Name()))
		if err != nil {
			return err
		}
		// Another server may run the old one right now: it is replaced, not changed.
		name := filepath.Join(dir, e.Name())
		temp := name + ".new"
		if err := os.WriteFile(temp, text, 0o644); err != nil {
			return fmt.Errorf("install the runtimes: %w", err)
		}
		if err := os.Rename(temp, name); err != nil {
			return fmt.Errorf("install the runtimes: %w", err)
		}
	}
	return nil
}

// Command is the argument vector that runs a handler of a family with the clients in dir, and where to get its program from.
// Of Provided there is none: the app brings its own. Of Java it is the program alone: see JavaHandler.
func Command(family Family, dir string) (command []string, get string) {
	switch family {
	case Node:
		return []string{"node", filepath.Join(dir, "nodejs.mjs")}, "install Node.js, for example with apt-get install nodejs"
	case Python:
		return []string{"python3", "-u", filepath.Join(dir, "python.py")}, "install Python, for example with apt-get install python3"
	case Ruby:
		return []string{"ruby", filepath.Join(dir, "ruby.rb")}, "install Ruby, for example with apt-get install ruby"
	case Java:
		return []string{"java"}, "install Java, for example with apt-get install default-jre-headless"
	case Provided:
	}
	return nil, ""
}

var (
	handlerPattern = regexp.MustCompile(`^[A-Za-z0-9_@/-][A-Za-z0-9_@/.-]*\.[A-Za-z_$][A-Za-z0-9_$]*$`)
	javaPattern    = regexp.MustCompile(`^([A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*::[A-Za-z_$][\w$]*$`)
)

// Guess finds out of which family a handler is, by the file it names in a tree: "app.handler" is of Python if there is app.py.
// It reports false for what is no handler: a command.
func Guess(handler string, tree fs.FS) (Family, bool) {
	if javaPattern.MatchString(handler) {
		return Java, true
	}
	if !handlerPattern.MatchString(handler) {
		return "", false
	}
	if exists(tree, handler) {
		return "", false // a program of that name
	}
	dir, name := path.Split(handler)
	stem, _, _ := strings.Cut(name, ".")
	whole := strings.TrimSuffix(name, path.Ext(name))
	for _, f := range []struct {
		family Family
		ends   []string
	}{{Python, []string{".py", "/__init__.py"}}, {Node, []string{".mjs", ".js", ".cjs"}}, {Ruby, []string{".rb"}}} {
		for _, end := range f.ends {
			if exists(tree, path.Join(dir, stem)+end) || f.family == Python && exists(tree, path.Join(dir, strings.ReplaceAll(whole, ".", "/"))+end) {
				return f.family, true
			}
		}
	}
	return "", false
}

func exists(tree fs.FS, name string) bool {
	name = path.Clean(name)
	if !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(tree, name)
	return err == nil && info.Mode().IsRegular()
}

// Parse returns the family of a runtime's name, and a warning if AWS gives it up. It returns Invalid for what is none.
func Parse(name string) (family Family, warning string, err error) {
	if d, ok := deprecated()[name]; ok {
		warning = fmt.Sprintf("AWS deprecated the runtime %s on %s; no new functions from %s, no changes from %s", name, d.on, d.create, d.update)
	} else if _, ok := supported()[name]; !ok {
		if f := Family(name); f == Node || f == Python || f == Ruby || f == Java || f == Provided {
			return f, "", nil
		}
		return "", "", aloft.Errorf(aloft.Invalid, "there is no runtime %q", name).WithHint("the present ones are %s", strings.Join(Names(), ", "))
	}
	stem := strings.TrimRight(strings.Split(name, ".")[0], "0123456789")
	switch {
	case name == "go1.x":
		return Provided, warning, nil
	case stem == "dotnet":
		return "", "", aloft.Errorf(aloft.Invalid, "handlers of the runtime %s are not run by aloft yet", name).
			WithHint("build a program that speaks the Runtime API (provided.al2023), or a web server")
	}
	return Family(stem), warning, nil
}
