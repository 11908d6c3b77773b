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
// an artifact has of them is looked at if its tree is not nil; dirs are those of the tree in which programs are looked for, as on
// the PATH. It returns an error that says so for a program that no runtime has.
func ForCommand(command []string, tree fs.FS, dirs ...string) (Family, error) {
	s := search{tree: tree, dirs: dirs, known: programs()}
	return s.family(words(command), 0, true)
}

// search looks for what programs need.
type search struct {
	tree  fs.FS
	dirs  []string
	known map[string]Family
}

// family is that of the first program that tells. Sure tells whether all words are programs, as far as one can say: those of a long
// script may be anything, so that of these only the names of interpreters count.
func (s search) family(words []string, depth int, sure bool) (Family, error) {
	const most = 4 // scripts that start scripts
	found, unknown := Family(""), ""
	for _, word := range words {
		base := path.Base(word)
		if f, ok := s.known[base]; ok {
			return f, nil
		}
		switch f, of, script := s.inTree(word, depth < most); {
		case f != "":
			return f, nil
		case len(of) > 0:
			f, err := s.family(of, depth+1, !script)
			if err != nil {
				err = fmt.Errorf("%s: %w", word, err)
			}
			return f, err
		case strings.Contains(word, "/") && !ofSystem(word):
			found = Provided // as far as one can say without seeing it
		case unknown == "" && !builtin(base) && !shells(base) && (sure || lacking(base)):
			unknown = base
		}
	}
	if found == "" && unknown != "" {
		return "", fmt.Errorf("no runtime of AWS Lambda has %s: there are node, python3, ruby and java, and programs that need none of them", unknown)
	}
	return Provided, nil
}

// inTree is the family of a program of the artifact; or the words that its first line names, or its script if a shell runs it,
// whose programs tell.
func (s search) inTree(word string, deeper bool) (f Family, of []string, script bool) {
	if s.tree == nil {
		return "", nil, false
	}
	name := placeInTree(word)
	switch { // on the PATH
	case strings.Contains(word, "/"):
	case exists(s.tree, "node_modules/.bin/"+word):
		return Node, nil, false
	case exists(s.tree, ".python_packages/bin/"+word):
		return Python, nil, false
	default:
		for _, dir := range s.dirs {
			if exists(s.tree, path.Join(dir, word)) {
				return "", []string{"./" + path.Join(dir, word)}, false
			}
		}
	}
	head := begins(s.tree, name)
	switch {
	case strings.HasPrefix(head, "\x7fELF"):
		return Provided, nil, false
	case !strings.HasPrefix(head, "#!") || !deeper:
		return "", nil, false
	}
	line, rest, _ := strings.Cut(head[2:], "\n")
	interpreter := interpreterOf(strings.Fields(line))
	if interpreter == "" || shells(path.Base(interpreter)) {
		return "", lines(rest), true
	}
	return "", []string{interpreter}, false
}

// interpreterOf is the program that the first line of a script names.
func interpreterOf(line []string) string {
	if len(line) > 0 && path.Base(line[0]) == "env" {
		line = slices.DeleteFunc(line[1:], func(word string) bool { return strings.HasPrefix(word, "-") || strings.Contains(word, "=") })
	}
	if len(line) == 0 {
		return ""
	}
	return line[0]
}

// placeInTree is where a program of the artifact lies in it.
func placeInTree(word string) string { return strings.TrimPrefix(path.Clean(word), "/var/task/") }

// ofSystem reports whether a program is one of those that the machine has, and not the artifact or a layer.
func ofSystem(word string) bool {
	return strings.HasPrefix(word, "/usr/") || strings.HasPrefix(word, "/bin/") || strings.HasPrefix(word, "/sbin/")
}

// lacking reports whether a name is that of an interpreter that no runtime has.
func lacking(name string) bool {
	return slices.Contains(strings.Fields(`lua luajit php php-fpm perl raku deno bun elixir mix erl escript gleam Rscript julia tclsh guile racket sbcl
		clojure clj lein bb scala groovy kotlin dotnet pwsh swift dart crystal runghc ocaml nginx caddy apache2 httpd frankenphp`), name)
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
		for len(fields) > 0 && (fields[0] == "exec" || path.Base(fields[0]) == "env" || fields[0] == "nohup" || strings.Contains(fields[0], "=")) {
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
