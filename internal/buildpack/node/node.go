// Package node is the buildpack of Node.js apps: a package.json, or a server file that needs none. Dependencies are
// installed by the package manager whose lock file is there.
package node

import (
	"io/fs"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// binaries is where package managers put the programs of packages.
const binaries = "node_modules/.bin"

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "node".
func (Buildpack) Name() string { return "node" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string { return "package.json with a start script, or app.js or server.js" }

// manifest is the part of a package.json that matters here.
type manifest struct {
	Name            string            `json:"name"`
	Version         string            `json:"version"`
	Main            string            `json:"main"`
	PackageManager  string            `json:"packageManager"`
	Scripts         map[string]string `json:"scripts"`
	Dependencies    map[string]string `json:"dependencies"`
	DevDependencies map[string]string `json:"devDependencies"`
	Optional        map[string]string `json:"optionalDependencies"`
}

func (m *manifest) needs(name string) bool {
	return m.Dependencies[name] != "" || m.DevDependencies[name] != ""
}

// Detect reads package.json and the lock file.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	var m manifest
	found, err := buildpack.ReadJSON(src, "package.json", &m)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	if !found {
		return withoutManifest(src)
	}
	plan := buildpack.Plan{
		Keep: []string{"node_modules/"},
		// Written by installers for themselves: registries, times and paths of the machine.
		Drop: []string{
			"node_modules/.package-lock.json", "node_modules/.cache/", "node_modules/.modules.yaml", "node_modules/.pnpm-workspace-state*",
			"node_modules/.yarn-integrity", "node_modules/.yarn-state.yml", "/.yarn/cache/", "/.yarn/install-state.gz",
		},
		Path: []string{binaries},
		Env:  map[string]string{"NODE_ENV": "production"},
	}
	if m.Version != "" { // what npm would have set for a start script
		plan.Env["npm_package_name"], plan.Env["npm_package_version"] = m.Name, m.Version
	}
	manager, err := detectManager(src, &m)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	start(src, &m, &plan)
	plan.Steps = steps(&m, manager, plan.Static == nil)
	return plan, true, nil
}

// start decides what runs: the start script, the main file, a file with a usual name, or else the files a build script made.
func start(src fs.FS, m *manifest, plan *buildpack.Plan) {
	script := strings.TrimSpace(m.Scripts["start"])
	dir := site(m)
	switch main := mainFile(src, m); {
	case script != "" && (dir == "" || !developmentServer(script)):
		plan.Start, plan.Why = scriptLine(m, script), "package.json has a start script"
	case script == "" && main != "":
		plan.Start, plan.Why = "node "+main, "package.json and "+main
	case dir != "":
		plan.Static, plan.Why = &buildpack.Static{Root: dir}, "package.json builds a site into "+dir+"/"
		plan.Keep, plan.Ship, plan.Env = []string{"/" + dir + "/"}, []string{"/" + dir + "/"}, nil
		plan.Drop = nil
	default:
		plan.Why = "package.json"
		plan.Missing = aloft.Errorf(aloft.Invalid, "package.json has no start script, and there is no server.js, app.js or index.js").
			WithHint(`add one that starts your server: "scripts": {"start": "node FILE.js"}`)
	}
}

// scriptLine returns the start script itself if it is a simple command, so that signals reach it without npm in between.
func scriptLine(m *manifest, script string) string {
	hooks := m.Scripts["prestart"] != "" || m.Scripts["poststart"] != ""
	if hooks || strings.ContainsAny(script, ";&|<>()`\n#$*?~\\") || strings.Contains(script, "npm_") {
		return "npm start"
	}
	return script // next, tsx … are on the PATH
}

// mainFile returns the file to start, "" if none has a usual name. The main of a package.json may be a library's, so it
// counts only if it looks like a server.
func mainFile(src fs.FS, m *manifest) string {
	main := strings.TrimPrefix(m.Main, "./")
	if main != "" && fs.ValidPath(main) && !strings.ContainsAny(main, " '\"$\\`;&|<>()*?#~") && isServer(src, main) {
		return main
	}
	if name := buildpack.First(src, "server.js", "app.js", "server.mjs", "app.mjs", "server.cjs", "app.cjs"); name != "" {
		return name
	}
	if isServer(src, "index.js") {
		return "index.js"
	}
	return ""
}

// withoutManifest detects a lone server file. Static sites have an app.js too, so it must look like a server.
func withoutManifest(src fs.FS) (buildpack.Plan, bool, error) {
	for _, name := range []string{"server.js", "app.js", "server.mjs", "app.mjs", "index.js"} {
		if isServer(src, name) {
			return buildpack.Plan{Start: "node " + name, Why: name, Env: map[string]string{"NODE_ENV": "production"}}, true, nil
		}
	}
	return buildpack.Plan{}, false, nil
}

func isServer(src fs.FS, name string) bool {
	data, ok, err := buildpack.Read(src, name)
	text := string(data)
	return ok && err == nil && (strings.Contains(text, "listen(") || strings.Contains(text, "createServer") || strings.Contains(text, "serve("))
}
