package lambdaruntime

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// programs are those that runtimes with an interpreter have, and those that packages for it bring, by their names.
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

// ForCommand is the runtime in which a command runs, by the programs that it names: a family, of which ForTree says more. What
// an artifact has of them is looked at if its tree is not nil. It returns an error that says so for a program that no runtime
// has.
func ForCommand(command []string, tree fs.FS) (Family, error) {
	return family(words(command), tree, 0)
}

// family is that of the first program that tells.
func family(words []string, tree fs.FS, depth int) (Family, error) {
	const most = 4 // scripts that start scripts
	known, found := programs(), Family("")
	unknown := ""
	for _, word := range words {
		if f, ok := known[path.Base(word)]; ok {
			return f, nil
		}
		switch f, of := inTree(word, tree, depth < most); {
		case f != "":
			return f, nil
		case len(of) > 0:
			return family(of, tree, depth+1)
		case strings.Contains(word, "/"):
			found = Provided // as far as one can say without seeing it
		case unknown == "" && !builtin(word):
			unknown = word
		}
	}
	if found == "" && unknown != "" {
		return "", fmt.Errorf("no runtime of AWS Lambda has %s: there are node, python3, ruby and java, and programs that need none of them", unknown)
	}
	return Provided, nil
}

// inTree is the family of a program of the artifact; or the words of its script, whose programs tell.
func inTree(word string, tree fs.FS, deeper bool) (Family, []string) {
	if tree == nil {
		return "", nil
	}
	name := strings.TrimPrefix(path.Clean(word), "/var/task/")
	switch { // on the PATH
	case strings.Contains(word, "/"):
	case exists(tree, "node_modules/.bin/"+word):
		return Node, nil
	case exists(tree, ".python_packages/bin/"+word):
		return Python, nil
	}
	head := begins(tree, name)
	switch {
	case strings.HasPrefix(head, "\x7fELF"):
		return Provided, nil
	case !strings.HasPrefix(head, "#!") || !deeper:
		return "", nil
	}
	line, rest, _ := strings.Cut(head[2:], "\n")
	interpreter := strings.Fields(line)
	if len(interpreter) > 1 && path.Base(interpreter[0]) == "env" {
		interpreter = interpreter[1:]
	}
	if len(interpreter) == 0 || shells(path.Base(interpreter[0])) {
		return "", lines(rest)
	}
	return "", []string{path.Base(interpreter[0])}
}

// begins is how a file of the tree begins, "" if there is none.
func begins(tree fs.FS, name string) string {
	if !exists(tree, name) {
		return ""
	}
	f, err := tree.Open(path.Clean(name))
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 8 << 10
	text, _ := io.ReadAll(io.LimitReader(f, most)) // what cannot be read tells nothing
	return string(text)
}

// words are the programs that a command starts, as far as its text says.
func words(command []string) []string {
	if len(command) == 0 {
		return nil
	}
	if !shells(path.Base(command[0])) {
		return command[:1]
	}
	for i, word := range command[1:] {
		switch {
		case strings.HasPrefix(word, "-") && strings.HasSuffix(word, "c") && i+2 < len(command):
			return lines(command[i+2])
		case !strings.HasPrefix(word, "-"):
			return []string{"./" + word} // a script
		}
	}
	return nil
}

// lines are the programs of a text for a shell, and the scripts that it has shells run.
func lines(text string) []string {
	var all []string
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(";&|\n(){}`", c) }) {
		fields := strings.Fields(part)
		for len(fields) > 0 && (fields[0] == "exec" || fields[0] == "env" || fields[0] == "nohup" || strings.Contains(fields[0], "=")) {
			fields = fields[1:]
		}
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case shells(path.Base(fields[0])):
			all = append(all, words(fields)...)
		default:
			all = append(all, strings.Trim(fields[0], `"'`))
		}
	}
	return all
}

func shells(name string) bool { return name == "sh" || name == "bash" || name == "dash" }

// builtin reports whether a word is a shell's own, or of the tools that each runtime has.
func builtin(word string) bool {
	return slices.Contains(strings.Fields(`cd export set unset test [ if then else elif fi for do done while until case esac trap eval source . : !
		ulimit umask command wait read exit echo printf true false mkdir cp mv rm ln ls cat chmod touch sleep date grep sed head tail sort`), word)
}

// Newest is the full name of a runtime: that of a family is the newest that AWS offers, but for the last one, which packages
// with native code are made for last.
func Newest(name string) string {
	newest := map[Family]string{Node: "nodejs24.x", Python: "python3.13", Ruby: "ruby3.4", Java: "java21", Provided: "provided.al2023"}
	if full, ok := newest[Family(name)]; ok {
		return full
	}
	return name
}

// all are the names of runtimes of a family, those that AWS gave up too.
func all(family Family) []string {
	var names []string
	for _, name := range slices.Concat(slices.Collect(maps.Keys(supported())), slices.Collect(maps.Keys(deprecated()))) {
		if strings.HasPrefix(name, string(family)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
