package python_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/python"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	other := buildpacktest.Source(files{"notes.py": "x", "docs/requirements.txt": "x"})
	for name, src := range map[string]files{
		"requirements": {"requirements.txt": "flask\n-r more.txt\n", "more.txt": "gunicorn", "app.py": "app = Flask(__name__)"},
		"uv":           {"pyproject.toml": project, "uv.lock": uvLock, "main.py": "app = FastAPI()"},
		"poetry":       {"pyproject.toml": poetry, "poetry.lock": poetryLock, "main.py": "x"},
		"pipenv":       {"Pipfile": "[packages]\nflask = \"*\"\n", "Pipfile.lock": pipfileLock, "app.py": "app = Flask(__name__)"},
		"django":       django("STATIC_ROOT = 'x'"),
	} {
		t.Run(name, func(t *testing.T) { buildpacktest.Run(t, python.New(), buildpacktest.Source(src), other) })
	}
}

const (
	project = "[project]\nname = \"x\"\ndependencies = [\"fastapi>=0.1\", \"uvicorn\"]\n"
	uvLock  = "version = 1\n[[package]]\nname = \"x\"\nversion = \"1\"\nsource = { virtual = \".\" }\n" +
		"[[package]]\nname = \"fastapi\"\nversion = \"0.2\"\nsource = { registry = \"simple\" }\n" +
		"[[package]]\nname = \"two\"\nversion = \"1\"\nsource = { registry = \"simple\" }\n[[package]]\nname = \"two\"\nversion = \"2\"\nsource = { registry = \"simple\" }\n"
	poetry      = "[tool.poetry.dependencies]\npython = \"^3.11\"\nflask = {version = \"^3.0.2\", extras = [\"async\"]}\ngunicorn = \"*\"\nmaybe = {version = \"1\", optional = true}\nzero = \"^0.2\"\n"
	poetryLock  = "[[package]]\nname = \"flask\"\nversion = \"3.0.3\"\n[[package]]\nname = \"gunicorn\"\nversion = \"23.0.0\"\n"
	pipfileLock = `{"default": {"flask": {"version": "==3.0.0", "markers": "python_version >= '3.8'"}, "click": {"version": "==8.1"}}}`
	flask       = "from flask import Flask\napp = Flask(__name__)\n"
)

func django(settings string) files {
	return files{
		"requirements.txt": "Django==5\ngunicorn\n", "manage.py": "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"mysite.settings\")",
		"mysite/settings.py": settings, "mysite/wsgi.py": "", "other/wsgi.py": "",
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, python.New(), []buildpacktest.Case{
		{Name: "flask", Files: files{"requirements.txt": "Flask>=3", "app.py": flask}, Start: "python3 -m flask --app app run --host $HOST --port $PORT"},
		{Name: "flask with gunicorn", Files: files{"requirements.txt": "flask\nGunicorn==23 # server", "app.py": flask}, Start: "python3 -m gunicorn --bind $HOST:$PORT app:app"},
		{Name: "flask factory", Files: files{"requirements.txt": "flask\ngunicorn", "shop/__init__.py": "def create_app():\n  pass"}, Start: "python3 -m gunicorn --bind $HOST:$PORT shop:'create_app()'"},
		{Name: "flask in src", Files: files{"requirements.txt": "flask\nwaitress", "src/shop/main.py": "api: Flask = Flask('x')"}, Start: "python3 -m waitress --listen=$HOST:$PORT shop.main:api"},
		{Name: "fastapi", Files: files{"pyproject.toml": project, "main.py": "app = FastAPI(title='x')"}, Start: "python3 -m uvicorn --host $HOST --port $PORT main:app"},
		{Name: "fastapi standard", Files: files{"requirements.txt": "fastapi[standard]", "app/main.py": "api = fastapi.FastAPI()"}, Start: "python3 -m uvicorn --host $HOST --port $PORT app.main:api"},
		{Name: "fastapi with gunicorn", Files: files{"requirements.txt": "fastapi\nuvicorn\ngunicorn", "main.py": "app = FastAPI()"}, Start: "python3 -m gunicorn --bind $HOST:$PORT -k uvicorn.workers.UvicornWorker main:app"},
		{Name: "fastapi without server", Files: files{"requirements.txt": "fastapi", "main.py": "app = FastAPI()"}, Err: "FastAPI needs a server", Hint: "add uvicorn"},
		{Name: "django", Files: django("STATIC_ROOT = BASE / 'x'"), Start: "python3 -m gunicorn --bind $HOST:$PORT mysite.wsgi:application"},
		{Name: "django without server", Files: files{"requirements.txt": "django", "manage.py": ""}, Start: "python3 manage.py runserver --noreload $HOST:$PORT"},
		{Name: "django with uvicorn", Files: files{"requirements.txt": "django\nuvicorn", "manage.py": "", "a/wsgi.py": "", "a/asgi.py": ""}, Start: "python3 -m uvicorn --host $HOST --port $PORT a.asgi:application"},
		{Name: "script", Files: files{"app.py": "import http.server"}, Start: "python3 app.py", Steps: []string{}},
		{Name: "main and requirements", Files: files{"requirements.txt": "aiohttp", "main.py": ""}, Start: "python3 main.py"},
		{Name: "nothing to start", Files: files{"requirements.txt": "flask", "web.py": flask}, Err: "nothing to start", Hint: "Procfile"},
		{Name: "library", Files: files{"pyproject.toml": "[tool.black]\nline-length = 100\n"}, No: true},
		{Name: "broken pyproject", Files: files{"pyproject.toml": "[project\n", "app.py": ""}, Err: "pyproject.toml:1:"},
		{Name: "broken lock", Files: files{"Pipfile": "[packages]\n", "Pipfile.lock": "{\n  \"default\" 1}"}, Err: "Pipfile.lock:2:13: "},
	})
}

// script is what makes installed scripts portable; it is the same for all.
const script = "make scripts portable"

// run is how pip is run; see runPip.
const run = "python3 -c import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True) "

func TestSteps(t *testing.T) {
	t.Parallel()
	const pip, pin = run + "install --target .python_packages --no-compile ", "-c .aloft-pins.txt -- "
	for _, c := range []struct {
		name  string
		files files
		steps []string
	}{
		{"requirements", files{"requirements.txt": "flask", "app.py": ""}, []string{pip + "-r requirements.txt", script}},
		{"project", files{"pyproject.toml": project, "app.py": ""}, []string{pip + "-- fastapi>=0.1 uvicorn", script}},
		{"uv", files{"pyproject.toml": project, "uv.lock": uvLock, "app.py": ""}, []string{"pins fastapi==0.2", pip + pin + "fastapi>=0.1 uvicorn", script}},
		{"uv with git", files{"pyproject.toml": project, "uv.lock": uvLock + "[[package]]\nname = \"g\"\nversion = \"1\"\nsource = { git = \"x\" }\n", "app.py": ""}, []string{
			"uv export --frozen --no-dev --no-emit-project --quiet --output-file .aloft-pins.txt", "uv pip install --target .python_packages -r .aloft-pins.txt", script,
		}},
		{"poetry", files{"pyproject.toml": poetry, "poetry.lock": poetryLock, "app.py": ""}, []string{"pins flask==3.0.3 gunicorn==23.0.0", pip + pin + "flask[async] gunicorn zero", script}},
		{"poetry without lock", files{"pyproject.toml": poetry, "app.py": ""}, []string{pip + "-- flask[async]>=3.0.2,<4 gunicorn zero>=0.2,<0.3", script}},
		{"pipenv", files{"Pipfile": "[packages]\nflask = \"~=3.0\"\n", "app.py": ""}, []string{pip + "-- flask~=3.0", script}},
		{"pipenv with lock", files{"Pipfile": "[packages]\nflask = \"*\"\n", "Pipfile.lock": pipfileLock, "app.py": ""}, []string{pip + "-- click==8.1 flask==3.0.0 ; python_version >= '3.8'", script}},
		{"collectstatic", django("STATIC_ROOT = 'x'"), []string{pip + "-r requirements.txt", script, "python3 manage.py collectstatic --noinput"}},
		{"no static root", django("# STATIC_ROOT = 'x'"), []string{pip + "-r requirements.txt", script}},
	} {
		plan, _, err := python.New().Detect(buildpacktest.Source(c.files))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var steps []string
		for _, step := range plan.Steps {
			line := strings.Join(step.Command, " ")
			if _, pins, ok := strings.Cut(line, ".aloft-pins.txt sh "); ok {
				line = "pins " + pins
			}
			if step.Name == script {
				line = script
			}
			steps = append(steps, line)
		}
		if got, want := strings.Join(steps, "\n"), strings.Join(c.steps, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
	}
	buildpacktest.Table(t, python.New(), []buildpacktest.Case{
		{Name: "git", Files: files{"pyproject.toml": "[tool.poetry.dependencies]\nx = {git = \"y\"}\n"}, Err: "pip cannot install the dependency \"x\"", Hint: "requirements.txt"},
		{Name: "odd version", Files: files{"Pipfile": "[packages]\nx = \"latest\"\n"}, Err: "the version \"latest\" of \"x\""},
	})
}
