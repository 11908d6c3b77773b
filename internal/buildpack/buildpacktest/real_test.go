package buildpacktest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

func TestMain(m *testing.M) { aloftest.Main(m, nil) }

// world is a server whose builds keep what they fetch between runs.
func world(t *testing.T) *aloftest.World {
	t.Helper()
	cache, err := filepath.Abs(filepath.Join("..", "..", "..", ".cache", "buildpacks"))
	if err != nil {
		t.Fatal(err)
	}
	w := aloftest.New(t)
	w.KeepCaches(t, cache)
	w.Serve(t)
	return w
}

type files = map[string]string

const (
	nodeServer = "const ms = require('ms'); require('http').createServer((q, s) => s.end('node ' + ms('1s'))).listen(process.env.PORT)"
	flaskApp   = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index(): return 'flask'\n"
	pnpmLock   = "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n  excludeLinksFromLockfile: false\n\nimporters:\n\n  .:\n" +
		"    dependencies:\n      ms:\n        specifier: ^2\n        version: 2.1.3\n\npackages:\n\n  ms@2.1.3:\n" +
		"    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}\n\nsnapshots:\n\n  ms@2.1.3: {}\n"
	uvProject = "[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"flask\"]\n"
	uvLock    = "version = 1\n[[package]]\nname = \"x\"\nversion = \"1\"\nsource = { virtual = \".\" }\n" +
		"[[package]]\nname = \"flask\"\nversion = \"3.0.3\"\nsource = { registry = \"simple\" }\n"
)

// TestReal builds and starts what the examples do not cover, with the real tools.
func TestReal(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches packages; run without -short")
	}
	w := world(t)
	for _, c := range []struct {
		name, want, ships, shipsNot string
		files                       files
	}{
		{name: "pnpm", want: "node 1000", ships: "node_modules/.pnpm/", files: files{
			"package.json": `{"scripts": {"start": "node x.js"}, "dependencies": {"ms": "^2"}}`, "pnpm-lock.yaml": pnpmLock, "x.js": nodeServer,
		}},
		{name: "yarn", want: "node 1000", ships: "node_modules/ms/", files: files{
			"package.json": `{"packageManager": "yarn@1.22.22", "scripts": {"start": "node x.js"}, "dependencies": {"ms": "^2"}}`, "x.js": nodeServer,
		}},
		{name: "yarn-berry", want: "node 1000", ships: "node_modules/ms/", files: files{
			"package.json": `{"packageManager": "yarn@4.9.1", "scripts": {"start": "node x.js"}, "dependencies": {"ms": "^2"}}`, "x.js": nodeServer,
		}},
		{name: "typescript", want: "node 1000", ships: "dist/server.js", shipsNot: "node_modules/typescript/", files: files{
			"package.json": `{"scripts": {"build": "tsc --outDir dist", "start": "node dist/server.js"}, "dependencies": {"ms": "^2"},
				"devDependencies": {"typescript": "^5", "@types/node": "^20", "@types/ms": "^2"}}`,
			"src/server.ts": "import ms = require('ms'); import http = require('http'); http.createServer((q, s) => s.end('node ' + ms('1s'))).listen(process.env.PORT)",
			"tsconfig.json": `{"compilerOptions": {"module": "node16", "target": "es2022"}, "include": ["src"]}`,
		}},
		{name: "vite", want: "<title>vite</title>", ships: "dist/assets/", shipsNot: "package.json", files: files{
			"package.json": `{"type": "module", "scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "^6"}}`,
			"index.html":   "<!doctype html><title>vite</title><script type=\"module\" src=\"/main.js\"></script>", "main.js": "document.body.append('hi')",
		}},
		{name: "procfile-node", want: "node 1000", files: files{
			"Procfile": "web: node x.js\n", "package.json": `{"dependencies": {"ms": "^2"}}`, "x.js": nodeServer,
		}},
		{name: "build-command", want: "node 1000", ships: "dist/hi", files: files{ // in place of the build script, after npm
			"package.json": `{"scripts": {"build": "exit 1", "start": "node x.js"}, "dependencies": {"ms": "^2"}}`, "x.js": nodeServer,
			"aloft.yml": "build: test -d node_modules/ms && mkdir dist && touch dist/$WORD\nenv: {WORD: hi}\n",
		}},
		{name: "flask-run", want: "flask", shipsNot: "__pycache__", files: files{"requirements.txt": "flask", "app.py": flaskApp}},
		{name: "uv", want: "flask", ships: "flask-3.0.3.dist-info", files: files{"pyproject.toml": uvProject, "uv.lock": uvLock, "app.py": flaskApp}},
		{name: "poetry", want: "flask", ships: "flask-3.0.3.dist-info", files: files{
			"pyproject.toml": "[tool.poetry.dependencies]\npython = \"^3.9\"\nflask = \"^3\"\ngunicorn = {version = \"*\"}\n",
			"poetry.lock":    "[[package]]\nname = \"flask\"\nversion = \"3.0.3\"\n", "app.py": flaskApp,
		}},
		{name: "pipenv", want: "flask", files: files{"Pipfile": "[packages]\nflask = \"*\"\nwaitress = \"~=3.0\"\n", "app.py": flaskApp}},
		{name: "go-without-module", want: "go", ships: "bin/app", shipsNot: "main.go", files: files{
			"main.go": "package main\nimport (\"net/http\"; \"os\")\nfunc main() { panic(http.ListenAndServe(\":\"+os.Getenv(\"PORT\"), http.HandlerFunc(" +
				"func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(\"go\")) }))) }\n",
		}},
		{name: "rack-without-gemfile", want: "rack", files: files{"config.ru": "run ->(env) { [200, {}, ['rack']] }\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := w.Up(t, write(t, c.files), "--app", c.name)
			names := names(t, w.Tree(t, d))
			if c.ships != "" && !strings.Contains(names, c.ships) || c.shipsNot != "" && strings.Contains(names, c.shipsNot) {
				t.Errorf("ships %s, not %s:\n%.3000s", c.ships, c.shipsNot, names)
			}
			if status, body := w.Get(t, d.URL); status != 200 || !strings.Contains(body, c.want) {
				t.Errorf("status %d, want %q in:\n%.500s", status, c.want, body)
			}
		})
	}
}

// names lists the regular files of a tree, a line each.
func names(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			all.WriteString(name + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestRustSeesOldFiles changes a source file but not its time, as a checkout from an archive does.
func TestRustSeesOldFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles; run without -short")
	}
	program := func(text string) files {
		return files{
			"Cargo.toml": "[package]\nname = \"say\"\nversion = \"1.0.0\"\nedition = \"2021\"\n", "Procfile": "web: say\n",
			"src/main.rs": "use std::io::*;\nfn main() {\n let l = std::net::TcpListener::bind((\"127.0.0.1\", std::env::var(\"PORT\").unwrap().parse().unwrap())).unwrap();\n" +
				" for s in l.incoming() { let mut s = s.unwrap(); let mut b = [0; 999]; let _ = s.read(&mut b);\n" +
				"  let _ = s.write_all(b\"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\n" + text + "\"); } }\n",
		}
	}
	aloftest.NeedTool(t, "cargo")
	w := world(t)
	for _, text := range []string{"one", "two"} {
		d := w.Up(t, write(t, program(text)), "--app", "rust-times")
		if _, body := w.Get(t, d.URL); body != text {
			t.Errorf("it says %q, want %q", body, text)
		}
	}
}

func write(t *testing.T, files files) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
