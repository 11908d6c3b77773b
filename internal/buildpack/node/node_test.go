package node_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/node"
)

type files = map[string]string

const express = `{"scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}`

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, node.New(),
		buildpacktest.Source(files{"package.json": express, "package-lock.json": "{}", "server.js": "x"}),
		buildpacktest.Source(files{"index.html": "x", "app.js": "document.title = 'x'"}))
}

func TestStart(t *testing.T) {
	t.Parallel()
	script := func(line string) files { return files{"package.json": `{"scripts": {"start": "` + line + `"}}`} }
	buildpacktest.Table(t, node.New(), []buildpacktest.Case{
		{Name: "script", Files: script("node server.js"), Start: "node server.js"},
		{Name: "other command", Files: script("next start"), Start: "next start"},
		{Name: "variable", Files: script("NODE_ENV=production node x.js"), Start: "NODE_ENV=production node x.js"},
		{Name: "compound", Files: script("node a.js && node b.js"), Start: "npm start"},
		{Name: "expands", Files: script("node x.js --port $PORT"), Start: "npm start"},
		{Name: "hook", Files: files{"package.json": `{"scripts": {"start": "node x.js", "prestart": "x"}}`}, Start: "npm start"},
		{Name: "server.js", Files: files{"package.json": `{}`, "server.js": "", "app.js": ""}, Start: "node server.js"},
		{Name: "app.js", Files: files{"package.json": `{}`, "app.js": ""}, Start: "node app.js"},
		{Name: "main", Files: files{"package.json": `{"main": "./src/web.js"}`, "src/web.js": "http.createServer()"}, Start: "node src/web.js"},
		{Name: "main of a library", Files: files{"package.json": `{"main": "lib.js"}`, "lib.js": "module.exports = 1"}, Err: "no start script"},
		{Name: "index.js", Files: files{"package.json": `{}`, "index.js": "app.listen(1)"}, Start: "node index.js"},
		{Name: "no manifest", Files: files{"app.js": "require('http').createServer(f).listen(3000)"}, Start: "node app.js", Steps: []string{}},
		{Name: "browser script", Files: files{"app.js": "alert(1)", "index.html": ""}, No: true},
		{Name: "nothing to start", Files: files{"package.json": `{"name": "x"}`}, Err: "no start script", Hint: `"start": "node FILE.js"`},
		{Name: "byte order mark", Files: files{"package.json": "\ufeff" + express}, Start: "node server.js"},
		{Name: "broken", Files: files{"package.json": "{\n  \"scripts\": {\n    \"start\": node x.js\n"}, Err: "package.json:3:15: "},
		{Name: "wrong type", Files: files{"package.json": "{\n  \"scripts\": [1]\n}"}, Err: "package.json:2:14: scripts is a JSON array"},
		{
			Name: "vite", Files: files{"package.json": `{"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "7"}}`, "index.html": ""}, Static: "dist",
			Steps: []string{"npm install --no-package-lock", "npm run build"},
		},
		{Name: "create-react-app", Files: files{"package.json": `{"scripts": {"start": "react-scripts start", "build": "react-scripts build"}, "dependencies": {"react-scripts": "5"}}`}, Static: "build"},
		{
			Name: "vite with a server", Files: files{"package.json": `{"scripts": {"start": "node server.js", "build": "vite build"}, "devDependencies": {"vite": "7"}}`}, Start: "node server.js",
			Steps: []string{"npm install --no-package-lock", "npm run build", "npm prune --omit=dev --no-save"},
		},
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()
	const (
		plain = `{"scripts": {"start": "node x.js"}, "dependencies": {"a": "1"}, "devDependencies": {"b": "1"}}`
		built = `{"scripts": {"start": "node x.js", "build": "tsc"}, "dependencies": {"a": "1"}, "devDependencies": {"b": "1"}}`
	)
	with := func(manifest, lock, text string) files { return files{"package.json": manifest, lock: text} }
	pnpm, yarn, berry := "npm exec --yes --package=pnpm@9 -- pnpm ", "npm exec --yes --package=yarn@1 -- yarn ", "npm exec --yes --package=@yarnpkg/cli-dist@4 -- yarn "
	for _, c := range []struct {
		name  string
		files files
		steps []string
	}{
		{"npm", with(plain, "package-lock.json", "{}"), []string{"npm ci --omit=dev"}},
		{"npm without lock", files{"package.json": plain}, []string{"npm install --no-package-lock --omit=dev"}},
		{"npm, build", with(built, "package-lock.json", "{}"), []string{"npm ci", "npm run build", "npm prune --omit=dev --no-save"}},
		{"no dependencies", files{"package.json": `{"scripts": {"start": "node x.js"}}`}, []string{}},
		{"pnpm", with(plain, "pnpm-lock.yaml", "lockfileVersion: '9.0'"), []string{pnpm + "install --frozen-lockfile --config.store-dir=$CACHE/pnpm --prod"}},
		{"pnpm, old", with(plain, "pnpm-lock.yaml", "lockfileVersion: '6.0'"), []string{"npm exec --yes --package=pnpm@8 -- pnpm install --frozen-lockfile --config.store-dir=$CACHE/pnpm --prod"}},
		{"yarn", with(built, "yarn.lock", "# yarn lockfile v1"), []string{
			yarn + "install --non-interactive --frozen-lockfile", yarn + "run build", yarn + "install --production --ignore-scripts --prefer-offline --non-interactive",
		}},
		{"yarn 4", with(built, "yarn.lock", "__metadata:\n  version: 8"), []string{berry + "install --immutable", berry + "run build", berry + "workspaces focus --all --production"}},
		{
			"packageManager",
			files{"package.json": `{"packageManager": "pnpm@10.1.0+sha512.abc", "scripts": {"start": "x"}, "dependencies": {"a": "1"}}`},
			[]string{"npm exec --yes --package=pnpm@10.1.0 -- pnpm install --no-frozen-lockfile --config.store-dir=$CACHE/pnpm"},
		},
	} {
		start := "node x.js"
		if c.name == "packageManager" {
			start = "x"
		}
		buildpacktest.Table(t, node.New(), []buildpacktest.Case{{Name: c.name, Files: c.files, Start: start, Steps: c.steps}})
	}
	buildpacktest.Table(t, node.New(), []buildpacktest.Case{
		{Name: "two locks", Files: files{"package.json": plain, "yarn.lock": "", "package-lock.json": "{}"}, Err: "several package managers: npm, yarn", Hint: "delete"},
	})
}
