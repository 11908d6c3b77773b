package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUp(t *testing.T) {
	b := newBench(t)
	r := b.run("up")
	if r.status != 0 || r.stdout != "http://shop-staging.localhost:7070\n" {
		t.Errorf("up: status %d, stdout %q", r.status, r.stdout)
	}
	for _, want := range []string{"detect", "build", "ready", "shop/staging v1", "warning: aloft.yml"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("stderr lacks %q: %s", want, r.stderr)
		}
	}
	if strings.Contains(r.stderr, "compiling") || strings.Contains(r.stderr, "\x1b") {
		t.Errorf("the output of a good build is not folded, or coloured in a pipe: %q", r.stderr)
	}
	if r := b.run(); r.status != 0 || !strings.Contains(r.stderr, "nothing changed") {
		t.Errorf("a bare aloft is not up: %+v", r)
	}
	if r := b.run("deploy", "--quiet", "production"); r.stdout != "http://shop.localhost:7070\n" || r.stderr != "" {
		t.Errorf("deploy --quiet production: %+v", r)
	}
	if r := b.run("up", "--force", "--verbose"); !strings.Contains(r.stderr, "| compiling things") || !strings.Contains(r.stderr, "node_modules") {
		t.Errorf("--verbose hides the build or the package: %q", r.stderr)
	}
}

func TestUpJSON(t *testing.T) {
	b := newBench(t)
	up := value[map[string]any](b, "up", "-m", "why", "pr-12")
	artifact, _ := up["artifact"].(map[string]any)
	build, _ := up["build"].(map[string]any)
	if up["app"] != "shop" || up["stage"] != "pr-12" || up["release"] != 1.0 || up["unchanged"] != false ||
		up["url"] != "http://shop-pr-12.localhost:7070" || up["seconds"] != 0.002 ||
		len(artifact["digest"].(string)) != 64 || artifact["size"] != 1234.0 || artifact["files"] != 1.0 ||
		build["buildpack"] != "server" || build["cached"] != false || build["seconds"] != 0.001 {
		t.Errorf("up --json prints %v", up)
	}
	if up = value[map[string]any](b, "up", "pr-12"); up["unchanged"] != true || up["release"] != 1.0 {
		t.Errorf("an unchanged up --json prints %v", up)
	}
}

func TestUpFails(t *testing.T) {
	b := newBench(t)
	r := b.at("broken", "up")
	if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "it does not compile") != 1 ||
		!strings.Contains(r.stderr, "compiling things") || !strings.Contains(r.stderr, "hint: mend the build") {
		t.Errorf("a failing build: status %d, stdout %q, stderr\n%s", r.status, r.stdout, r.stderr)
	}
	if r = b.at("empty", "up"); r.status != 2 || !strings.Contains(r.stderr, "no app found") || !strings.Contains(r.stderr, "looked for") {
		t.Errorf("an empty directory: %+v", r)
	}
	r = b.at("broken", "up", "--json")
	if want := `{
  "error": {
    "code": "failed",
    "message": "make ended with status 2",
    "hint": "mend the build",
    "detail": "error: it does not compile"
  }
}
`; r.stdout != want {
		t.Errorf("an error with --json is %s", r.stdout)
	}
}

func TestReleasesAndRollback(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	b.ok("config", "set", "COLOUR=red")
	if out := b.ok("rollback", "v1"); out != "http://shop-staging.localhost:7070\n" {
		t.Errorf("rollback prints %q", out)
	}
	releases := value[[]map[string]any](b, "releases")
	if len(releases) != 3 || releases[0]["version"] != 3.0 || releases[0]["current"] != true || releases[0]["kind"] != "rollback" ||
		releases[1]["current"] != false || len(releases[1]["config"].([]any)) != 1 || releases[2]["author"] != "ada" {
		t.Errorf("releases --json prints %v", releases)
	}
	out := b.ok("releases", "-n", "1")
	if !strings.Contains(out, "v3") || !strings.Contains(out, "current") || strings.Contains(out, "v2 ") {
		t.Errorf("releases -n 1 prints\n%s", out)
	}
	b.fails(2, []string{"rollback", "v99"}, "v99", "v3, v2, v1")
	b.fails(2, []string{"rollback", "last"}, `"last"`, "v5")
	b.fails(2, []string{"releases", "nowhere"}, "stages of shop: staging")
	b.fails(2, []string{"--app", "ship", "releases"}, "apps: shop", "did you mean shop?")
	b.fails(2, []string{"releases", "-n", "-1"}, "negative")
}

func TestConfig(t *testing.T) {
	b := newBench(t)
	for _, r := range []result{
		b.run("config", "set", "A=canary value", "B=="), b.run("config"), b.run("config:set", "C=canary"), b.run("config:list"),
		b.run("config", "unset", "C"), b.run("config:unset", "D"),
	} {
		if strings.Contains(r.stdout+r.stderr, "canary") {
			t.Errorf("a value is shown: %+v", r)
		}
	}
	if out := b.ok("config"); out != "A=********\nB=********\n" {
		t.Errorf("config prints %q", out)
	}
	if names := value[[]string](b, "config"); len(names) != 2 || names[0] != "A" {
		t.Errorf("config --json prints %v", names)
	}
	if out := b.ok("config:get", "A"); out != "canary value\n" {
		t.Errorf("config:get prints %q", out)
	}
	if got := value[map[string]string](b, "config", "get", "B"); got["B"] != "=" {
		t.Errorf("config get --json prints %v", got)
	}
	b.stdin = "# comment\n\nexport D='from stdin'\nE=1=2\n"
	b.ok("config", "set", "--file", "-")
	if d, e := b.ok("config", "get", "D"), b.ok("config", "get", "E"); d != "from stdin\n" || e != "1=2\n" {
		t.Errorf("from standard input: D is %q, E is %q", d, e)
	}
	b.stdin = "no\n"
	b.fails(1, []string{"config", "clear"}, "Remove all variables of shop/staging?", "nothing was done")
	b.stdin = ""
	b.fails(2, []string{"config", "clear"}, "--yes")
	b.stdin = "y\n"
	b.ok("config", "clear")
	if out := b.ok("config"); out != "" {
		t.Errorf("after clear, config prints %q", out)
	}
	b.fails(2, []string{"config", "set", "NOEQUALS"}, "NOEQUALS", "aloft config set LOG_LEVEL=debug")
	b.fails(2, []string{"config", "set", "="}, "NAME=VALUE")
	b.fails(2, []string{"config", "set"}, "nothing to set")
	b.fails(2, []string{"config", "set", "PORT=1"}, "PORT")
	b.fails(2, []string{"config", "set", "1A=x"}, "1A")
	b.fails(2, []string{"config", "A=x"}, "aloft config set A=")
	b.fails(2, []string{"config", "sett"}, "did you mean aloft config set?")
	b.fails(2, []string{"config", "get", "A"}, "A")
	if r := b.run("config", "set", "hunter2"); r.status != 2 || strings.Contains(r.stderr, "hunter2") {
		t.Errorf("what may be a value is repeated: %+v", r)
	}
}

func TestLook(t *testing.T) {
	b := newBench(t)
	if apps := value[[]any](b, "apps"); len(apps) != 0 {
		t.Errorf("apps of nothing are %v", apps)
	}
	b.fails(2, []string{"url"}, "nothing is deployed yet")
	b.ok("up")
	b.ok("up", "production")
	if out := b.ok("url", "production"); out != "http://shop.localhost:7070\n" {
		t.Errorf("url prints %q", out)
	}
	if got := value[map[string]string](b, "url"); got["url"] != "http://shop-staging.localhost:7070" {
		t.Errorf("url --json prints %v", got)
	}
	if out := b.ok("status"); !strings.Contains(out, "shop/production  v1 ready") || !strings.Contains(out, "127.0.0.1:3000") {
		t.Errorf("status prints\n%s", out)
	}
	if all, one := value[[]any](b, "status"), value[[]any](b, "status", "production"); len(all) != 2 || len(one) != 1 {
		t.Errorf("status --json prints %d stages, and %d of one", len(all), len(one))
	}
	apps := value[[]map[string]any](b, "apps")
	if len(apps) != 1 || apps[0]["name"] != "shop" || len(apps[0]["stages"].([]any)) != 2 {
		t.Errorf("apps --json prints %v", apps)
	}
	b.ok("stop", "production")
	if out := b.ok("apps"); !strings.Contains(out, "v1 stopped") {
		t.Errorf("apps prints\n%s", out)
	}
}

func TestLogs(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	out := b.ok("logs", "-n", "2")
	if strings.Contains(out, "one") || !strings.Contains(out, "v1 web.1 | two cleared\n") || !strings.Contains(out, "three") {
		t.Errorf("logs -n 2 prints %q", out)
	}
	if out := b.ok("logs", "--raw"); !strings.Contains(out, "two \x1b[2Jcleared") {
		t.Errorf("logs --raw prints %q", out)
	}
	lines := value[[]map[string]any](b, "logs", "--since", "5m")
	if len(lines) != 3 || lines[0]["text"] != "one" || lines[0]["stream"] != "stdout" {
		t.Errorf("logs --json prints %v", lines)
	}
	b.fails(2, []string{"logs", "--since", "yesterday"}, "yesterday", "--since 5m")
	b.fails(2, []string{"logs", "--since", "-5m"}, "-5m")
	b.fails(2, []string{"logs", "-n", "-1"}, "negative")
	b.fails(2, []string{"logs", "nowhere"}, "staging")
	b.fails(2, []string{"logs", "--function", "nope"}, `no function "nope"`, "web")
	b.ok("logs", "--function", "web")
	b.ok("logs", "--function", "predeploy")
}

func TestRun(t *testing.T) {
	b := newBench(t)
	b.fails(2, []string{"run", "--", "cat"}, "shop")
	b.ok("up")
	b.stdin = "input\n"
	if out := b.ok("run", "--", "cat"); out != "input\n" {
		t.Errorf("run cat prints %q", out)
	}
	if r := b.run("run", "exit", "7", "--json"); r.status != 7 || r.stderr != "bye\n" {
		t.Errorf("run exit 7: %+v", r)
	}
	b.fails(1, []string{"run", "--", "nope"}, "no such program")
	b.fails(2, []string{"run"}, "usage: aloft run")
	b.fails(2, []string{"run", "--", ""}, "empty")
}

func TestDomains(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	b.ok("domains", "add", "B.example", "a.example")
	if out := b.ok("domains:add", "a.example"); out != "a.example\nb.example\n" {
		t.Errorf("domains are %q", out)
	}
	b.fails(1, []string{"domains", "add", "taken.example"}, "belongs to another app", "remove it there")
	b.fails(2, []string{"domains", "remove", "c.example"}, "c.example", "a.example, b.example")
	b.ok("domains", "rm", "a.example")
	if got := value[[]string](b, "domains"); len(got) != 1 || got[0] != "b.example" {
		t.Errorf("domains --json prints %v", got)
	}
}

func TestDestroy(t *testing.T) {
	b := newBench(t)
	b.ok("up")
	b.ok("up", "production")
	b.fails(2, []string{"destroy"}, "Delete the app shop with production, staging?", "--yes")
	b.fails(2, []string{"destroy", "nowhere", "--yes"}, "nowhere", "production, staging")
	b.stdin = "Y\n"
	b.ok("destroy", "production")
	if got := value[map[string]any](b, "destroy", "--yes"); got["app"] != "shop" || len(got["destroyed"].([]any)) != 1 {
		t.Errorf("destroy --json prints %v", got)
	}
	if apps := value[[]any](b, "apps"); len(apps) != 0 {
		t.Errorf("apps are left: %v", apps)
	}
}

func TestBuildAndPlan(t *testing.T) {
	b := newBench(t)
	if out := b.ok("build"); len(strings.TrimSpace(out)) != 64 {
		t.Errorf("build prints %q", out)
	}
	if out := b.ok("build", "--explain"); !strings.Contains(out, "why:        ./server is executable") || !strings.Contains(out, "web:") {
		t.Errorf("build --explain prints\n%s", out)
	}
	if got := value[map[string]any](b, "build"); got["buildpack"] != "server" || got["app"] != "shop" {
		t.Errorf("build --json prints %v", got)
	}
	if out := b.ok("plan"); out != "Stage\n  + shop/staging\nCode\n  ~ artifact: a → b\nFunctions\n  - worker\n\nto carry it out: aloft up staging --plan p1\n" {
		t.Errorf("plan prints %q", out)
	}
	if got := value[map[string]any](b, "plan"); len(got["changes"].([]any)) != 3 {
		t.Errorf("plan --json prints %v", got)
	}
}

func TestNames(t *testing.T) {
	b := newBench(t)
	b.source("My_Shop 2", "server")
	if got := value[map[string]any](b, "up", "-C", filepath.Join(b.dir, "My_Shop 2")); got["app"] != "my-shop-2" {
		t.Errorf("a directory My_Shop 2 makes the app %v", got["app"])
	}
	b.source("123", "server")
	b.fails(2, []string{"up", "-C", filepath.Join(b.dir, "123")}, "--app", "name:")
	b.source("named", "server")
	if err := os.WriteFile(filepath.Join(b.dir, "named", "aloft.yml"), []byte("name: other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := value[map[string]any](b, "up", "-C", filepath.Join(b.dir, "named")); got["app"] != "other" {
		t.Errorf("aloft.yml's name makes the app %v", got["app"])
	}
	if got := value[map[string]any](b, "up", "--app", "third"); got["app"] != "third" {
		t.Errorf("--app third makes the app %v", got["app"])
	}
	// With --app no command but those that read a source needs a directory.
	if out := b.raw("url", "--app", "third", "-C", "/nonexistent"); out.status != 0 {
		t.Errorf("url --app third outside of any app: %+v", out)
	}
	b.fails(2, []string{"up", "-C", filepath.Join(b.dir, "nowhere")}, "no directory")
	b.fails(2, []string{"up", "production", "--stage", "staging"}, "two stages")
}
