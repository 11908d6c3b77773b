package buildpacktest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Case is a source and what a buildpack must say of it.
type Case struct {
	Name   string
	Files  map[string]string // names to contents; a name that ends with "*" is executable
	No     bool              // it is of another kind
	Start  string            // the plan's
	Static string            // the plan's root, "." for the tree itself
	Steps  []string          // of the plan, each as its Command
	Err    string            // part of the error's message, or of the plan's Missing
	Hint   string            // part of that error's hint
}

// Source makes the files of a case.
func Source(files map[string]string) fstest.MapFS {
	src := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if plain, ok := strings.CutSuffix(name, "*"); ok {
			name, mode = plain, 0o755
		}
		src[name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	return src
}

// Table checks cases.
func Table(t *testing.T, bp buildpack.Buildpack, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			plan, ok, err := bp.Detect(Source(c.Files))
			if err == nil && plan.Missing != nil {
				err = plan.Missing
			}
			switch {
			case c.Err != "" || err != nil:
				checkMessage(t, c, err)
			case ok == c.No:
				t.Errorf("matched %v: %+v", ok, plan)
			case ok:
				CheckPlan(t, plan)
				checkCase(t, c, plan)
			}
		})
	}
}

func checkCase(t *testing.T, c Case, plan buildpack.Plan) {
	t.Helper()
	if plan.Start != c.Start {
		t.Errorf("start %q, want %q", plan.Start, c.Start)
	}
	if root := rootOf(plan.Static); root != c.Static {
		t.Errorf("static %q, want %q", root, c.Static)
	}
	var steps []string
	for _, step := range plan.Steps {
		steps = append(steps, strings.Join(step.Command, " "))
	}
	if c.Steps != nil && !slices.Equal(steps, c.Steps) {
		t.Errorf("steps\n%s\nwant\n%s", strings.Join(steps, "\n"), strings.Join(c.Steps, "\n"))
	}
}

func checkMessage(t *testing.T, c Case, err error) {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if c.Err == "" || !ok || !strings.Contains(e.Message, c.Err) || !strings.Contains(e.Hint, c.Hint) {
		t.Fatalf("error %v, want %q with hint %q", err, c.Err, c.Hint)
	}
	CheckError(t, e)
}

func rootOf(s *buildpack.Static) string {
	switch {
	case s == nil:
		return ""
	case s.Root == "":
		return "."
	}
	return s.Root
}
