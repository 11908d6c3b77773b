package deploy_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/manifest"
)

// TestHandlersOfProjects: what is a handler, by whom it says so, and what it gets.
func TestHandlersOfProjects(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"run": "one", "app.py": "", "lib/resize.mjs": "", "tool": "",
		"aloft.yml": `env: {LEVEL: info, ALL: yes}
functions:
  create: {handler: app.handler, memory: 128, timeout: 3s, max: 2, retries: 0, on-failure: "function:resize"}
  resize: {handler: lib/resize.handler, runtime: nodejs22.x, idle: off, concurrency: 4, env: {LEVEL: debug}}
  native: {command: ./tool --serve, runtime: provided.al2023}
  clock: {command: ./tool}
`,
	})
	b.up(t)
	runs := b.runs()
	for name, want := range map[string]aloft.Function{
		"create": {Kind: aloft.Handler, Handler: "app.handler", Runtime: "python", Memory: 128, Timeout: aloft.Duration(3 * time.Second), Max: 2, Idle: aloft.Duration(15 * time.Minute)},
		"resize": {Kind: aloft.Handler, Handler: "lib/resize.handler", Runtime: "nodejs22.x", Memory: 1024, Timeout: aloft.Duration(10 * time.Second), Max: 4},
		"native": {Kind: aloft.Handler, Handler: "native", Runtime: "provided.al2023", Memory: 1024, Timeout: aloft.Duration(10 * time.Second), Max: 10, Idle: aloft.Duration(15 * time.Minute)},
		"clock":  {Kind: aloft.Worker},
	} {
		got := runs[name]
		if got.Kind != want.Kind || got.Handler != want.Handler || got.Runtime != want.Runtime || got.Memory != want.Memory ||
			got.Kind == aloft.Handler && (got.Timeout != want.Timeout || got.Max != want.Max || got.Idle != want.Idle) {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if one, other := runs["resize"].Env, runs["create"].Env; one["LEVEL"] != "debug" || one["ALL"] != "yes" || other["LEVEL"] != "info" {
		t.Errorf("variables %v and %v", one, other)
	}
	if c := runs["native"].Command; len(c) != 2 || c[0] != "./tool" {
		t.Errorf("the program that speaks the Runtime API is started as %q", c)
	}
	if len(runs["create"].Command) > 0 || runs["web"].Kind != aloft.Web {
		t.Errorf("functions %+v", runs)
	}

	if a := runs["create"].Async; a == nil || *a.Retries != 0 || a.OnFailure != "function:resize" {
		t.Errorf("events of create: %+v", a)
	}
	if runs["resize"].Async != nil {
		t.Errorf("events of resize: %+v", runs["resize"].Async)
	}

	for yml, words := range map[string][]string{
		`create: {handler: app.handler, on-failure: "function:create"}`:                           {"to itself"},
		`create: {handler: app.handler, on-success: "function:clock"}, clock: {command: sleep 1}`: {"clock", "gets no events"},
		`clock: {command: sleep 1, retries: 1}`:                                                   {"clock", "gets no events"},
	} {
		b.write(t, map[string]string{"run": "one", "app.py": "", "aloft.yml": "functions: {" + yml + "}\n"})
		_, err := b.Deploy(t.Context(), b.input(), b.events)
		fails(t, err, aloft.Invalid, words...)
	}
	b.write(t, map[string]string{"run": "one", "aloft.yml": "functions: {create: {handler: nowhere.handler}}\n"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no file is found", "app.py")
}

// TestJavaHandlers: Lambda's client and the dependencies join the plan, and no jar that runs by itself is looked for.
func TestJavaHandlers(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"pom.xml": {}, "mvnw": {}}
	plan := buildpack.Plan{
		Keep: []string{"target/"}, Workers: map[string]string{"hello": "com.example.Hello::handleRequest"},
		Steps:   []buildpack.Step{{Name: "mvnw package", Command: []string{"sh", "./mvnw", "package"}}},
		Resolve: func(fs.FS) (string, error) { return "", nil },
	}
	if deploy.JavaHandlers(manifest.Settings{}, buildpack.Plan{Workers: map[string]string{"work": "./run"}}, tree) || !deploy.JavaHandlers(manifest.Settings{}, plan, tree) {
		t.Error("what is a handler in Java is not seen")
	}
	with := deploy.WithJava(plan, tree)
	if with.Resolve != nil || len(with.Steps) != 3 || len(plan.Steps[0].Command) != 3 {
		t.Fatalf("%+v", with)
	}
	if first := strings.Join(with.Steps[0].Command, " "); !strings.Contains(first, "package dependency:copy-dependencies -DincludeScope=runtime") {
		t.Errorf("Maven: %s", first)
	}
	if last := strings.Join(with.Steps[2].Command, " "); !strings.HasPrefix(last, "sh ./mvnw ") || !strings.Contains(last, "-f .lambda-java/pom.xml") || !strings.Contains(with.Steps[1].Env["POM"], "aws-lambda-java-runtime-interface-client") {
		t.Errorf("the client: %s", last)
	}
}

// TestGradleHandlers: Gradle is told to copy the dependencies by a script that is no part of what is shipped.
func TestGradleHandlers(t *testing.T) {
	t.Parallel()
	plan := buildpack.Plan{Keep: []string{"build/"}, Steps: []buildpack.Step{{Name: "gradlew assemble", Command: []string{"sh", "./gradlew", "assemble"}}}}
	with := deploy.WithJava(plan, fstest.MapFS{"build.gradle": {}, "gradlew": {}})
	if len(with.Steps) != 4 || len(plan.Steps) != 1 || len(plan.Steps[0].Command) != 3 {
		t.Fatalf("%+v", with)
	}
	script, build := with.Steps[0], with.Steps[1]
	if !strings.Contains(script.Env["SCRIPT"], "configurations.runtimeClasspath") || !strings.HasSuffix(script.Command[2], "> .lambda-java/dependencies.gradle") {
		t.Errorf("the script: %+v", script)
	}
	if got := strings.Join(build.Command, " "); got != "sh ./gradlew assemble --init-script .lambda-java/dependencies.gradle" {
		t.Errorf("Gradle: %s", got)
	}
	if !slices.Contains(with.Drop, ".lambda-java/dependencies.gradle") || !slices.Contains(with.Keep, "build/") {
		t.Errorf("shipped are %q without %q", with.Keep, with.Drop)
	}
}

// TestNativeHandlers: what a build makes is the program of a handler that names no other, and then no web server.
func TestNativeHandlers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		function       manifest.FunctionSettings
		files          fstest.MapFS
		command, start string
	}{
		"no command":     {manifest.FunctionSettings{Runtime: "provided.al2023"}, fstest.MapFS{}, "bin/app", ""},
		"the same":       {manifest.FunctionSettings{Runtime: "provided.al2023", Command: "./bin/app -v"}, fstest.MapFS{}, "./bin/app -v", ""},
		"another":        {manifest.FunctionSettings{Runtime: "provided.al2023", Command: "bin/tool"}, fstest.MapFS{}, "bin/tool", "bin/app"},
		"a bootstrap":    {manifest.FunctionSettings{Runtime: "provided.al2023"}, fstest.MapFS{"bootstrap": {}}, "", "bin/app"},
		"not a provided": {manifest.FunctionSettings{Runtime: "python3.13"}, fstest.MapFS{}, "", "bin/app"},
	} {
		s := manifest.Settings{Functions: map[string]manifest.FunctionSettings{"greet": c.function}}
		got, plan := deploy.WithNative(s, buildpack.Plan{Start: "bin/app"}, c.files)
		if got.Functions["greet"].Command != c.command || plan.Start != c.start || s.Functions["greet"].Command != c.function.Command {
			t.Errorf("%s: %+v, %q", name, got.Functions["greet"], plan.Start)
		}
	}
}
