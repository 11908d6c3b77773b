package lambdaruntime

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// programs are those that a runtime of Lambda has, or that packages for it have, by their names.
func programs() map[string]Family {
	all := map[string]Family{}
	for family, names := range map[Family][]string{
		Node:   {"node", "npm", "npx", "pnpm", "yarn", "corepack", "next", "nest", "nuxt", "remix-serve", "tsx", "ts-node", "astro", "vite"},
		Python: {"python", "python3", "gunicorn", "uvicorn", "hypercorn", "waitress-serve", "daphne", "flask", "fastapi", "django-admin"},
		Ruby:   {"ruby", "bundle", "rackup", "rails", "puma", "unicorn", "thin", "falcon", "rake"},
		Java:   {"java"},
	} {
		for _, name := range names {
			all[name] = family
		}
	}
	return all
}

// Newest is a runtime's full name: for that of a family, the newest that AWS offers.
func Newest(name string) string {
	switch Family(name) {
	case Node:
		return "nodejs24.x"
	case Python:
		return "python3.13"
	case Ruby:
		return "ruby3.4"
	case Java:
		return "java25"
	case Provided:
		return "provided.al2023"
	}
	return name
}

// ForCommand is the runtime in which a web server's command runs, by the programs that it names; of a family, unless the tree
// (nil if it is not known) tells more. An error says which program no runtime has.
func ForCommand(command []string, tree fs.FS) (string, error) {
	_ = tree
	for _, word := range words(command) {
		if family, ok := programs()[path.Base(word)]; ok {
			return string(family), nil
		}
		if strings.Contains(word, "/") {
			return string(Provided), nil
		}
		if !slices.Contains([]string{"sh", "bash"}, word) {
			return "", fmt.Errorf("no runtime of AWS Lambda has %s; those that have interpreters have %s", word, strings.Join(slices.Sorted(maps.Keys(programs())), ", "))
		}
	}
	return string(Provided), nil
}

// words are the programs that a command starts, as far as its text says.
func words(command []string) []string {
	if len(command) == 3 && command[1] == "-c" {
		var all []string
		for _, line := range strings.FieldsFunc(command[2], func(c rune) bool { return strings.ContainsRune(";&|\n()", c) }) {
			for word := range strings.FieldsSeq(line) {
				if word == "exec" || strings.Contains(word, "=") {
					continue
				}
				all = append(all, word)
				break
			}
		}
		return all
	}
	return command[:min(1, len(command))]
}
