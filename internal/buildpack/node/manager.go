package node

import (
	"io/fs"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

const needsNode = "install Node.js with npm from your package manager (apt-get install nodejs npm)"

// manager is how dependencies are installed.
type manager struct {
	tool    string // "npm", "pnpm", "yarn" or "berry" (yarn 2 and later)
	locked  bool   // there is a lock file
	project string // the npm package that holds the tool, with the version asked for: "pnpm@9"; "" for npm
}

// detectManager goes by the lock file, then by packageManager. Of several lock files the one of packageManager's tool
// counts, else there is no telling which is current.
func detectManager(src fs.FS, m *manifest) (manager, error) {
	asked, version, _ := strings.Cut(m.PackageManager, "@")
	version, _, _ = strings.Cut(version, "+") // a hash, for corepack
	locks := map[string]string{"pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock", "npm": buildpack.First(src, "package-lock.json", "npm-shrinkwrap.json")}
	var present []string
	for _, tool := range []string{"npm", "pnpm", "yarn"} {
		if locks[tool] != "" && buildpack.Exists(src, locks[tool]) {
			present = append(present, tool)
		}
	}
	tool := "npm"
	switch {
	case asked == "pnpm" || asked == "yarn" || asked == "npm":
		tool = asked
	case len(present) == 1:
		tool = present[0]
	case len(present) > 1:
		return manager{}, aloft.Errorf(aloft.Invalid, "there are lock files of several package managers: %s", strings.Join(present, ", ")).
			WithHint("delete the ones you do not use, or name one in package.json: \"packageManager\": \"%s@VERSION\"", present[0])
	}
	result := manager{tool: tool, locked: locks[tool] != "" && buildpack.Exists(src, locks[tool])}
	lock, _, err := buildpack.Read(src, locks[tool])
	if tool != "npm" && err == nil {
		result.choose(version, string(lock))
	}
	return result, err
}

// choose sets the package that holds the tool. Without a version asked for, the format of the lock file says which line of
// versions wrote it.
func (g *manager) choose(version, lock string) {
	head := lock[:min(len(lock), 400)]
	switch {
	case g.tool == "yarn" && (strings.Contains(head, "__metadata:") || version != "" && !strings.HasPrefix(version, "1.")):
		g.tool, g.project = "berry", "@yarnpkg/cli-dist@"+or(version, "4")
	case g.tool == "yarn":
		g.project = "yarn@" + or(version, "1")
	case strings.Contains(head, "lockfileVersion: 5"):
		g.project = "pnpm@" + or(version, "7")
	case strings.Contains(head, "lockfileVersion: '6"):
		g.project = "pnpm@" + or(version, "8")
	default:
		g.project = "pnpm@" + or(version, "9")
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// step is a step that runs the package manager. Others than npm need not be installed: npm brings them, by way of the
// registry that it is set up for, in the version that is asked for.
func (g manager) step(args ...string) buildpack.Step {
	tool := g.tool
	if tool == "berry" {
		tool = "yarn"
	}
	step := buildpack.Step{Name: tool + " " + args[0], Needs: needsNode, Env: map[string]string{
		"npm_config_cache": "$CACHE/npm", "npm_config_update_notifier": "false", "npm_config_fund": "false", "npm_config_audit": "false",
		"YARN_CACHE_FOLDER": "$CACHE/yarn", "YARN_GLOBAL_FOLDER": "$CACHE/yarn-global",
		"YARN_ENABLE_TELEMETRY": "false", "YARN_NODE_LINKER": "node-modules",
	}}
	if g.project == "" {
		step.Command = append([]string{"npm"}, args...)
		return step
	}
	step.Command = append([]string{"npm", "exec", "--yes", "--package=" + g.project, "--", tool}, args...)
	return step
}

// steps are: install, build, and take away what only the build needed, if the modules are shipped.
func steps(m *manifest, g manager, shipped bool) []buildpack.Step {
	var all []buildpack.Step
	build := m.Scripts["build"] != ""
	prepared := build
	for _, script := range []string{"preinstall", "install", "postinstall", "prepare"} {
		prepared = prepared || m.Scripts[script] != ""
	}
	if len(m.Dependencies)+len(m.DevDependencies)+len(m.Optional) > 0 || prepared && !build {
		// Scripts may use development dependencies; without scripts these need not be fetched at all.
		all = append(all, g.step(g.install(len(m.DevDependencies) > 0 && !prepared)...))
	}
	if build {
		run := g.step("run", "build")
		run.Name, run.Build = "build script", true
		all = append(all, run)
	}
	if prepared && len(m.DevDependencies) > 0 && shipped {
		all = append(all, g.step(g.prune()...))
	}
	return all
}

// pnpmStore is an argument and not a variable: npm, which runs pnpm, warns about variables it does not know.
const pnpmStore = "--config.store-dir=$CACHE/pnpm"

func (g manager) install(production bool) []string {
	args := map[string][]string{
		"npm":   {"install", "--no-package-lock"},
		"pnpm":  {"install", "--no-frozen-lockfile", pnpmStore},
		"yarn":  {"install", "--non-interactive", "--no-lockfile"},
		"berry": {"install", "--no-immutable"},
	}[g.tool]
	if g.locked {
		args = map[string][]string{
			"npm":   {"ci"},
			"pnpm":  {"install", "--frozen-lockfile", pnpmStore},
			"yarn":  {"install", "--non-interactive", "--frozen-lockfile"},
			"berry": {"install", "--immutable"},
		}[g.tool]
	}
	if !production {
		return args
	}
	switch g.tool {
	case "npm":
		return append(args, "--omit=dev")
	case "pnpm":
		return append(args, "--prod")
	case "yarn":
		return append(args, "--production")
	}
	return []string{"workspaces", "focus", "--all", "--production"}
}

func (g manager) prune() []string {
	switch g.tool {
	case "npm":
		return []string{"prune", "--omit=dev", "--no-save"}
	case "pnpm":
		return []string{"prune", "--prod", "--config.ignore-scripts=true"}
	case "yarn":
		return []string{"install", "--production", "--ignore-scripts", "--prefer-offline", "--non-interactive"}
	}
	return []string{"workspaces", "focus", "--all", "--production"}
}
