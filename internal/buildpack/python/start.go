package python

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/buildpack"
)

// start is how an app is started.
type start struct {
	line    string // shell command line
	why     string // the framework and the file
	collect bool   // Django collects static files when it is built
}

// findStart goes from the particular to the general: a framework that is declared and used, then a file with a usual name.
func findStart(src fs.FS, names map[string]bool) (start, error) {
	switch {
	case buildpack.Exists(src, "manage.py") && (names["django"] || mentions(src, "manage.py", "django")):
		return django(src, names), nil
	case names["fastapi"] || names["starlette"]:
		if app, ok := findObject(src, asgiVariable); ok {
			return asgi(app, names)
		}
	case names["flask"]:
		if app, ok := findObject(src, flaskVariable); ok {
			return flask(app, names), nil
		}
	}
	if name := buildpack.First(src, "app.py", "main.py", "server.py"); name != "" {
		return start{line: "python3 " + name, why: name}, nil
	}
	return start{}, noStart("there is nothing to start: no app.py, main.py, manage.py, and no Flask or FastAPI object in a usual place",
		"add a Procfile with a line such as \"web: python3 FILE.py\"")
}

// The addresses are the ones aloft gives a process.
const (
	gunicornCommand = "python3 -m gunicorn --bind $HOST:$PORT "
	uvicornCommand  = "python3 -m uvicorn --host $HOST --port $PORT "
	waitressCommand = "python3 -m waitress --listen=$HOST:$PORT "
)

// wsgi returns the command of a declared WSGI server, "" if none is.
func wsgi(names map[string]bool, app string) string {
	switch {
	case names["gunicorn"]:
		return gunicornCommand + app
	case names["waitress"]:
		return waitressCommand + app
	}
	return ""
}

func django(src fs.FS, names map[string]bool) start {
	s := start{line: "python3 manage.py runserver --noreload $HOST:$PORT", why: "Django's manage.py"}
	project := djangoProject(src)
	if project == "" {
		return s
	}
	s.collect = setsStaticRoot(src, project)
	asgiApp := strings.ReplaceAll(project, "/", ".") + ".asgi:application"
	if line := wsgi(names, strings.ReplaceAll(project, "/", ".")+".wsgi:application"); line != "" {
		s.line = line
	} else if names["uvicorn"] && buildpack.Exists(src, project+"/asgi.py") {
		s.line = uvicornCommand + asgiApp
	} else if names["daphne"] && buildpack.Exists(src, project+"/asgi.py") {
		s.line = "python3 -m daphne -b $HOST -p $PORT " + asgiApp
	}
	return s
}

var settingsModule = regexp.MustCompile(`DJANGO_SETTINGS_MODULE['"]\s*,\s*['"]([\w.]+)['"]`)

// djangoProject returns the directory that holds wsgi.py: the one manage.py's settings are in, else the only one there is.
func djangoProject(src fs.FS) string {
	data, _, _ := buildpack.Read(src, "manage.py")
	if match := settingsModule.FindSubmatch(data); match != nil {
		dir := strings.ReplaceAll(string(match[1]), ".", "/")
		for dir = path.Dir(dir); dir != "."; dir = path.Dir(dir) {
			if buildpack.Exists(src, dir+"/wsgi.py") {
				return dir
			}
		}
	}
	if all, _ := fs.Glob(src, "*/wsgi.py"); len(all) == 1 {
		return path.Dir(all[0])
	}
	return ""
}

var staticRoot = regexp.MustCompile(`(?m)^STATIC_ROOT\s*=`)

func setsStaticRoot(src fs.FS, project string) bool {
	files, _ := fs.Glob(src, project+"/settings/*.py")
	return slices.ContainsFunc(append(files, project+"/settings.py"), func(name string) bool {
		data, _, _ := buildpack.Read(src, name)
		return staticRoot.Match(data)
	})
}

func flask(app object, names map[string]bool) start {
	s := start{line: wsgi(names, app.module+":"+app.call()), why: "Flask in " + app.file}
	if s.line == "" { // flask run and not the file itself: app.run(debug=True) is common and not for the public
		s.line = "python3 -m flask --app " + app.module + " run --host $HOST --port $PORT"
	}
	return s
}

func asgi(app object, names map[string]bool) (start, error) {
	s := start{why: "FastAPI in " + app.file}
	option := ""
	if app.factory {
		option = "--factory "
	}
	switch {
	case names["uvicorn"] && names["gunicorn"] && !app.factory:
		s.line = gunicornCommand + "-k uvicorn.workers.UvicornWorker " + app.module + ":" + app.name
	case names["uvicorn"]:
		s.line = uvicornCommand + option + app.module + ":" + app.name
	case names["hypercorn"] && !app.factory:
		s.line = "python3 -m hypercorn --bind $HOST:$PORT " + app.module + ":" + app.name
	default:
		return start{}, noStart("FastAPI needs a server, and none is among the dependencies",
			"add uvicorn to the dependencies (or fastapi[standard] in place of fastapi), or a Procfile with a web line")
	}
	return s, nil
}

func mentions(src fs.FS, name, word string) bool {
	data, _, _ := buildpack.Read(src, name)
	return strings.Contains(strings.ToLower(string(data)), word)
}
