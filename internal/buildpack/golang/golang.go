// Package golang is the buildpack of Go programs. Every main package is built, statically, into bin; what is not Go source
// is shipped beside it, since programs read templates and assets at run time.
package golang

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "golang".
func (Buildpack) Name() string { return "golang" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string {
	return "go.mod or main.go, with a main package here or in cmd/NAME"
}

// Detect finds the main packages.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	module, inModule, err := moduleName(src)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	if !inModule && !buildpack.Exists(src, "main.go") {
		return buildpack.Plan{}, false, nil
	}
	mains, err := findMains(src)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	plan := buildpack.Plan{
		Why:  "go.mod",
		Path: []string{"bin"},
		Keep: []string{"/bin/"}, // many projects ignore it, for it is where they build to
		Drop: []string{"*.go", "/go.mod", "/go.sum", "/go.work", "/go.work.sum", "/vendor/", "testdata/"},

		Cross: map[string]map[string]string{aloft.ARM64: cross("arm64"), aloft.X8664: cross("amd64")},
	}
	if !inModule {
		plan.Why = "main.go"
		plan.Steps = append(plan.Steps, step("go mod init", "mod", "init", "app"), step("go mod tidy", "mod", "tidy"))
	}
	built := map[string]bool{}
	for _, dir := range mains {
		if name := binary(dir, module); !built[name] { // of two with one name the first is the more important
			built[name] = true
			plan.Steps = append(plan.Steps, compile(dir, module))
		}
	}
	main, missing := choose(mains)
	plan.Missing = missing
	if main == "" {
		return plan, true, nil
	}
	plan.Start = "bin/" + binary(main, module)
	plan.Why += " and a main package"
	if main != "." {
		plan.Why += " in " + main
	}
	return plan, true, nil
}

// choose returns the main package that is the app: the root's, else the only one in cmd, else the only one there is.
func choose(mains []string) (string, error) {
	var commands []string
	for _, dir := range mains {
		if dir == "." {
			return dir, nil
		}
		if ok, _ := path.Match("cmd/*", dir); ok {
			commands = append(commands, dir)
		}
	}
	switch {
	case len(mains) == 0:
		return "", aloft.Errorf(aloft.Invalid, "there is no main package").
			WithHint("a program needs a file with \"package main\" and \"func main()\", here or in cmd/NAME")
	case len(commands) == 1:
		return commands[0], nil
	case len(mains) == 1:
		return mains[0], nil
	}
	return "", aloft.Errorf(aloft.Invalid, "there are several main packages: %s", strings.Join(mains, ", ")).
		WithHint("say which is the web server with a Procfile: \"web: bin/%s\"", path.Base(mains[0]))
}

func compile(dir, module string) buildpack.Step {
	target := "./" + dir
	if dir == "." {
		target = "."
	}
	build := step("go build "+target, "build", "-trimpath", "-buildvcs=false", "-modcacherw", "-ldflags=-s -w", "-o", "bin/"+binary(dir, module), target)
	build.Build = true
	return build
}

// cross is the environment of a build for one of Go's architectures.
func cross(architecture string) map[string]string {
	return map[string]string{"GOOS": "linux", "GOARCH": architecture, "CGO_ENABLED": "0"}
}

func step(name string, args ...string) buildpack.Step {
	return buildpack.Step{
		Name: name, Command: append([]string{"go"}, args...), Needs: "install Go (apt-get install golang, or the official archive)",
		Env: map[string]string{"CGO_ENABLED": "0", "GOCACHE": "$CACHE/go/build", "GOMODCACHE": "$CACHE/go/mod"},
	}
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// binary names the program that is built from a directory, as go install would.
func binary(dir, module string) string {
	if dir != "." {
		return path.Base(dir)
	}
	name := path.Base(module)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(module))
	}
	if !plainName.MatchString(name) {
		return "app"
	}
	return name
}

// plainName keeps names that would mean something to a shell, and the name of a directory itself, out of command lines.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

func moduleName(src fs.FS) (string, bool, error) {
	data, ok, err := buildpack.Read(src, "go.mod")
	if !ok || err != nil {
		return "app", false, err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], "\"`"), true, nil
		}
	}
	return "", true, buildpack.FileError("go.mod", data, 0, "there is no module line")
}
