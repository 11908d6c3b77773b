package deploy_test

import (
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// TestHandlersOfProjects: what is a handler, by whom it says so, and what it gets.
func TestHandlersOfProjects(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"run": "one", "app.py": "", "lib/resize.mjs": "", "tool": "",
		"aloft.yml": `functions:
  create: {handler: app.handler, memory: 128, timeout: 3s, max: 2, retries: 0, on-failure: "function:resize"}
  resize: {handler: lib/resize.handler, runtime: nodejs22.x, idle: off}
  native: {command: ./tool --serve, runtime: provided.al2023}
  clock: {command: ./tool}
`,
	})
	b.up(t)
	runs := b.runs()
	for name, want := range map[string]aloft.Function{
		"create": {Kind: aloft.Handler, Handler: "app.handler", Runtime: "python", Memory: 128, Timeout: aloft.Duration(3 * time.Second), Max: 2, Idle: aloft.Duration(15 * time.Minute)},
		"resize": {Kind: aloft.Handler, Handler: "lib/resize.handler", Runtime: "nodejs22.x", Memory: 1024, Timeout: aloft.Duration(10 * time.Second), Max: 10},
		"native": {Kind: aloft.Handler, Handler: "native", Runtime: "provided.al2023", Memory: 1024, Timeout: aloft.Duration(10 * time.Second), Max: 10, Idle: aloft.Duration(15 * time.Minute)},
		"clock":  {Kind: aloft.Worker},
	} {
		got := runs[name]
		if got.Kind != want.Kind || got.Handler != want.Handler || got.Runtime != want.Runtime || got.Memory != want.Memory ||
			got.Kind == aloft.Handler && (got.Timeout != want.Timeout || got.Max != want.Max || got.Idle != want.Idle) {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
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
