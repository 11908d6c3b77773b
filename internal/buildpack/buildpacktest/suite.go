// Package buildpacktest is the contract suite of buildpacks, and a small runner that carries out a plan for real, for tests
// of buildpacks and examples that need no server.
package buildpacktest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Run checks that bp keeps the contract. Match is a source of its kind that can be built, other one that is not of its kind.
func Run(t *testing.T, bp buildpack.Buildpack, match, other fstest.MapFS) {
	t.Helper()
	t.Run("names itself", func(t *testing.T) {
		if err := aloft.CheckName("buildpack", bp.Name()); err != nil || bp.LooksFor() == "" {
			t.Errorf("name %q (%v), looks for %q", bp.Name(), err, bp.LooksFor())
		}
	})
	t.Run("matches", func(t *testing.T) {
		plan, ok, err := bp.Detect(match)
		if err != nil || !ok {
			t.Fatalf("matched %v, error %v", ok, err)
		}
		CheckPlan(t, plan)
	})
	t.Run("leaves other sources alone", func(t *testing.T) {
		for _, src := range []fstest.MapFS{other, {}, directories(match)} {
			if plan, ok, err := bp.Detect(src); ok || err != nil || !reflect.ValueOf(plan).IsZero() {
				t.Errorf("of %v: matched %v, error %v, plan %+v", slices.Collect(maps.Keys(src)), ok, err, plan)
			}
		}
	})
	t.Run("plans share no memory", func(t *testing.T) { checkShared(t, bp, match) })
	t.Run("survives damaged files", func(t *testing.T) { checkDamaged(t, bp, match) })
	t.Run("says what cannot be read", func(t *testing.T) { checkUnreadable(t, bp, match) })
}

// CheckPlan checks that a plan is complete and tied to no machine.
func CheckPlan(t *testing.T, plan buildpack.Plan) {
	t.Helper()
	if plan.Why == "" {
		t.Error("no Why")
	}
	if plan.Start == "" && plan.Static == nil && plan.Resolve == nil && plan.Missing == nil {
		t.Error("nothing to start, and no reason why")
	}
	if plan.Missing != nil {
		CheckError(t, plan.Missing)
	}
	if plan.Static != nil && plan.Static.Root != "" && !fs.ValidPath(plan.Static.Root) {
		t.Errorf("static root %q is not inside the tree", plan.Static.Root)
	}
	for _, step := range plan.Steps {
		checkStep(t, step)
	}
	for _, dir := range plan.Path {
		if !fs.ValidPath(dir) {
			t.Errorf("path %q is not inside the tree", dir)
		}
	}
	for k, v := range plan.Env {
		checkValue(t, "plan", k, v)
	}
	for _, pattern := range slices.Concat(plan.Keep, plan.Drop, plan.Ship) {
		if _, err := path.Match(pattern, ""); err != nil || strings.TrimSpace(pattern) != pattern || pattern == "" {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}

func checkStep(t *testing.T, step buildpack.Step) {
	t.Helper()
	if step.Name == "" || len(step.Command) == 0 || step.Command[0] == "" || step.Needs == "" {
		t.Errorf("step is not complete: %+v", step)
	}
	if step.Dir != "" && !fs.ValidPath(step.Dir) {
		t.Errorf("step %s runs outside the source: %q", step.Name, step.Dir)
	}
	for k, v := range step.Env {
		checkValue(t, "step "+step.Name, k, v)
	}
}

func checkValue(t *testing.T, where, name, value string) {
	t.Helper()
	if strings.HasPrefix(value, "/") || name == "" || name == "HOME" || name == "PATH" {
		t.Errorf("%s: %s=%s belongs to a machine", where, name, value)
	}
	if strings.Contains(value, "$PATH") || strings.Contains(value, "$HOME") {
		t.Errorf("%s: %s=%s: only $APP and $CACHE are expanded", where, name, value)
	}
}

// CheckError checks that an error is one a user can act on.
func CheckError(t *testing.T, err error) {
	t.Helper()
	e, ok := err.(*aloft.Error)
	if !ok || e.Code != aloft.Invalid || e.Message == "" || e.Hint == "" {
		t.Errorf("not an Invalid error with a hint: %#v", err)
	}
}

// printed is a plan as text, without what two equal plans need not have in common: pointers.
func printed(plan buildpack.Plan) string {
	root := rootOf(plan.Static)
	plan.Resolve, plan.Missing, plan.Static = nil, nil, nil
	return fmt.Sprintf("%+v static %s", plan, root)
}

func checkShared(t *testing.T, bp buildpack.Buildpack, src fs.FS) {
	t.Helper()
	first, _, _ := bp.Detect(src)
	want := printed(first)
	for i := range first.Steps {
		first.Steps[i].Name = "changed"
		first.Steps[i].Command[0] = "changed"
		if first.Steps[i].Env != nil {
			first.Steps[i].Env["CHANGED"] = "1"
		}
	}
	if first.Env != nil {
		first.Env["CHANGED"] = "1"
	}
	for _, list := range [][]string{first.Keep, first.Drop, first.Ship} {
		for i := range list {
			list[i] = "changed"
		}
	}
	second, _, _ := bp.Detect(src)
	if got := printed(second); got != want {
		t.Errorf("a second Detect says\n%s\nthe first said\n%s", got, want)
	}
}

// directories has a directory wherever src has a file.
func directories(src fstest.MapFS) fstest.MapFS {
	all := fstest.MapFS{}
	for name := range src {
		all[name+"/file.txt"] = &fstest.MapFile{Data: []byte("x")}
	}
	return all
}

func checkDamaged(t *testing.T, bp buildpack.Buildpack, src fstest.MapFS) {
	t.Helper()
	for name, file := range src {
		for _, data := range []string{"", "\x00\xff\xfe{", "{", "[", "=", strings.Repeat("[", 5000), "\ufeff" + string(file.Data)} {
			damaged := maps.Clone(src)
			damaged[name] = &fstest.MapFile{Data: []byte(data), Mode: file.Mode}
			plan, ok, err := bp.Detect(damaged)
			switch {
			case err != nil:
				CheckError(t, err)
			case ok:
				CheckPlan(t, plan)
			}
		}
	}
}

// unreadable fails to open one file.
type unreadable struct {
	fstest.MapFS
	name string
}

func (u unreadable) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.MapFS.Open(name)
}

func (u unreadable) ReadFile(name string) ([]byte, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.MapFS.ReadFile(name)
}

func checkUnreadable(t *testing.T, bp buildpack.Buildpack, src fstest.MapFS) {
	t.Helper()
	for name := range src {
		plan, ok, err := bp.Detect(unreadable{src, name})
		switch {
		case err != nil:
			CheckError(t, err)
		case ok:
			CheckPlan(t, plan)
		}
	}
}
