package deploy_test

import (
	"slices"
	"testing"

	"github.com/aloft-run/aloft"
)

// TestCommandLines: how the line that starts an app becomes an argument vector.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"./server":                   {"./server"},
		"node  app.js --env=x":       {"node", "app.js", "--env=x"},
		"gunicorn app:app -b :$PORT": {"/bin/sh", "-c", "exec gunicorn app:app -b :$PORT"},
		`run "two words"`:            {"/bin/sh", "-c", `exec run "two words"`},
		"A=1 run":                    {"/bin/sh", "-c", "A=1 run"},
		"cd web && run":              {"/bin/sh", "-c", "cd web && run"},
		"exec run":                   {"/bin/sh", "-c", "exec run"},
		"run > log":                  {"/bin/sh", "-c", "run > log"},
		"./run ~/x *.y":              {"/bin/sh", "-c", "exec ./run ~/x *.y"},
	} {
		b := newBench(t, map[string]string{"other": "x", "aloft.yml": "start: '" + line + "'\n"})
		if d := b.up(t); !slices.Equal(d.Release.Functions[0].Command, want) {
			t.Errorf("%s: %q, want %q", line, d.Release.Functions[0].Command, want)
		}
	}
}

// TestFunctionsOfProjects: what the manifest says about functions reaches the release.
func TestFunctionsOfProjects(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "x", "aloft.yml": `
health: {path: /up, timeout: 5s}
drain: 9s
env: {A: "1"}
static: {dir: public, prefix: /assets}
functions:
  web: {memory: 256MB, instances: 2, timeout: 3s}
  clock: {command: ./clock, instances: 0}
  mail: {command: ./mail --loop}
`})
	got := b.up(t).Release.Functions
	names := []string{}
	for _, f := range got {
		names = append(names, f.Name+" "+string(f.Kind))
	}
	if want := []string{"web web", "static static", "mail worker"}; !slices.Equal(names, want) {
		t.Fatalf("functions %q, want %q", names, want)
	}
	web := got[0]
	if web.HealthPath != "/up" || web.BootTimeout.String() != "5s" || web.DrainTimeout.String() != "9s" || web.Timeout.String() != "3s" ||
		web.Memory != 256 || web.Instances != 2 || web.Env["A"] != "1" {
		t.Errorf("web is %+v", web)
	}
	if got[1].Root != "public" || got[1].Prefix != "/assets" {
		t.Errorf("static is %+v", got[1])
	}
	if !slices.Equal(got[2].Command, []string{"./mail", "--loop"}) {
		t.Errorf("mail runs %q", got[2].Command)
	}
	b.write(t, map[string]string{"aloft.yml": "functions: {mail: {memory: 64MB}}\n"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, `"mail" has no command`)
}

// TestUses: a function has the edges that it names, else those of all functions, else one to each resource; a list without any is
// none.
func TestUses(t *testing.T) {
	t.Parallel()
	const resources = "resources: {uploads: bucket, jobs: queue}\n"
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"nothing said": {resources, []string{"jobs", "uploads"}},
		"general":      {resources + "uses: uploads:read", []string{"uploads:read"}},
		"own":          {resources + "uses: uploads:read\nfunctions: {web: {uses: [\"jobs:send\"]}}", []string{"jobs:send"}},
		"none":         {resources + "functions: {web: {uses: []}}", nil},
		"of a stage":   {resources + "uses: uploads:read\nstages: {production: {uses: [jobs]}}", []string{"jobs"}},
	} {
		b := newBench(t, map[string]string{"run": "x", "aloft.yml": c.yaml + "\n"})
		if got := b.up(t).Release.Functions[0].Uses; !slices.Equal(got, c.want) {
			t.Errorf("%s: uses %q, want %q", name, got, c.want)
		}
	}
}

func TestLambdaSection(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "x", "aloft.yml": "functions: {web: {lambda: {reserved: 5, provisioned: 2, ephemeral-storage: 1GB}}}\n"})
	l := b.up(t).Release.Functions[0].Lambda
	if l == nil || l.Reserved == nil || *l.Reserved != 5 || l.Provisioned != 2 || l.EphemeralStorage != 1024 {
		t.Errorf("lambda is %+v", l)
	}
}
