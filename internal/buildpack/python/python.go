// Package python is the buildpack of Python apps. Dependencies are installed by pip into a directory of the tree, which a
// PYTHONPATH names: a virtual environment would hold absolute paths, and the tree must run wherever it is put.
package python

import (
	"io/fs"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// packages is the directory of the installed dependencies.
const packages = ".python_packages"

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "python".
func (Buildpack) Name() string { return "python" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string {
	return "requirements.txt, pyproject.toml, Pipfile, manage.py, app.py or main.py"
}

// Detect finds what the app depends on, then which framework and server start it.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	found, err := findDependencies(src)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	script := buildpack.First(src, "manage.py", "app.py", "main.py", "server.py", "wsgi.py", "asgi.py")
	if found.from == "" && script == "" {
		return buildpack.Plan{}, false, nil
	}
	path := "$APP/" + packages
	if buildpack.IsDir(src, "src") {
		path += ":$APP/src" // the layout in which an app's own package is not beside its pyproject.toml
	}
	plan := buildpack.Plan{
		Why: found.from, Steps: found.steps(),
		Env:  map[string]string{"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
		Path: []string{packages + "/bin"},
		Keep: []string{"/" + packages + "/"},
		Drop: []string{"__pycache__/", "*.pyc", "/" + pinsFile, "/.venv/", "/venv/"},
	}
	start, err := findStart(src, found.names)
	if err != nil {
		plan.Missing = err
		if plan.Why == "" {
			plan.Why = script
		}
		return plan, true, nil
	}
	if start.collect {
		plan.Steps = append(plan.Steps, collectStatic(path))
	}
	plan.Start = start.line
	if plan.Why == "" {
		plan.Why = start.why
	} else {
		plan.Why += " and " + start.why
	}
	return plan, true, nil
}

func collectStatic(path string) buildpack.Step {
	return buildpack.Step{
		Name: "collectstatic", Build: true, Command: []string{"python3", "manage.py", "collectstatic", "--noinput"},
		Env: map[string]string{"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, Needs: needsPython,
	}
}

// noStart is why nothing can be started.
func noStart(message, hint string) error {
	return aloft.Errorf(aloft.Invalid, "%s", message).WithHint("%s", hint)
}
