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

// Application objects are variables at the top of a module, made by the framework or by a factory; or there is the factory
// only.
var (
	flaskVariable = regexp.MustCompile(`(?m)^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:(?:flask\.)?Flask\(|create_app\(|make_app\()`)
	asgiVariable  = regexp.MustCompile(`(?m)^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:(?:fastapi\.)?FastAPI\(|(?:starlette\.applications\.)?Starlette\(|create_app\(|make_app\()`)
	factory       = regexp.MustCompile(`(?m)^def (create_app|make_app)\(`)
)

// findObject looks in the files where such objects usually are, the tree's root first, then packages of one level.
func findObject(src fs.FS, variable *regexp.Regexp) (object, bool) {
	var files []string
	for _, dir := range []string{"", "*/", "src/", "src/*/"} {
		for _, name := range []string{"app.py", "main.py", "wsgi.py", "asgi.py", "server.py", "api.py", "application.py", "__init__.py"} {
			found, _ := fs.Glob(src, dir+name)
			files = append(files, found...)
		}
	}
	for _, pattern := range []*regexp.Regexp{variable, factory} {
		for _, file := range files {
			if o, ok := objectIn(src, file, pattern); ok {
				return o, true
			}
		}
	}
	return object{}, false
}

func objectIn(src fs.FS, file string, pattern *regexp.Regexp) (object, bool) {
	if strings.HasPrefix(file, "test") || strings.HasPrefix(file, ".") || strings.HasPrefix(file, "venv/") {
		return object{}, false
	}
	data, ok, err := buildpack.Read(src, file)
	if !ok || err != nil {
		return object{}, false
	}
	match := pattern.FindSubmatch(data)
	module := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(file, "src/"), ".py"), "/__init__")
	if match == nil || !identifier.MatchString(module) {
		return object{}, false
	}
	return object{file: file, module: strings.ReplaceAll(module, "/", "."), name: string(match[1]), factory: pattern == factory}, true
}

// identifier keeps names that would mean something to a shell out of a command line.
var identifier = regexp.MustCompile(`^\w+(?:/\w+)*$`)
