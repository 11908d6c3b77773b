package python

import (
	"io/fs"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft/internal/buildpack"
)

// object is an application object, or a function that makes one, in a module.
type object struct {
	file    string // "src/shop/main.py"
	module  string // "shop.main"
	name    string // "app"
	factory bool
}

// call is the object as WSGI servers take it.
func (o object) call() string {
	if o.factory {
		return "'" + o.name + "()'"
	}
	return o.name
}

// objectPattern finds an application object: first a variable, else a factory.
type objectPattern struct {
	variable *regexp.Regexp
	factory  *regexp.Regexp
}

var (
	flaskObject = objectPattern{
		regexp.MustCompile(`(?m)^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:(?:flask\.)?Flask\(|create_app\(|make_app\()`),
		regexp.MustCompile(`(?m)^def (create_app|make_app)\(`),
	}
	asgiObject = objectPattern{
		regexp.MustCompile(`(?m)^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:(?:fastapi\.)?FastAPI\(|(?:starlette\.applications\.)?Starlette\(|create_app\(|make_app\()`),
		regexp.MustCompile(`(?m)^def (create_app|make_app)\(`),
	}
)

// findObject looks in the files where such objects usually are, the tree's root first, then packages of one level.
func findObject(src fs.FS, pattern objectPattern) (object, bool) {
	var files []string
	for _, dir := range []string{"", "*/", "src/", "src/*/"} {
		for _, name := range []string{"app.py", "main.py", "wsgi.py", "asgi.py", "server.py", "api.py", "application.py", "__init__.py"} {
			found, _ := fs.Glob(src, dir+name)
			files = append(files, found...)
		}
	}
	for _, factory := range []bool{false, true} {
		for _, file := range files {
			if o, ok := pattern.in(src, file, factory); ok {
				return o, true
			}
		}
	}
	return object{}, false
}

func (p objectPattern) in(src fs.FS, file string, factory bool) (object, bool) {
	if strings.HasPrefix(file, "test") || strings.HasPrefix(file, ".") || strings.HasPrefix(file, "venv/") {
		return object{}, false
	}
	data, ok, err := buildpack.Read(src, file)
	if !ok || err != nil {
		return object{}, false
	}
	re := p.variable
	if factory {
		re = p.factory
	}
	match := re.FindSubmatch(data)
	module := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(file, "src/"), ".py"), "/__init__")
	if match == nil || !identifier.MatchString(module) {
		return object{}, false
	}
	return object{file: file, module: strings.ReplaceAll(module, "/", "."), name: string(match[1]), factory: factory}, true
}

// identifier keeps names that would mean something to a shell out of a command line.
var identifier = regexp.MustCompile(`^\w+(?:/\w+)*$`)
