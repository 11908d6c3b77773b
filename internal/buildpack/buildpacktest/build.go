package buildpacktest

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/source"
)

// App is a built source, in a directory that is not the one it was built in.
type App struct {
	Dir    string // the shipped tree
	Found  buildpack.Result
	Digest string // of the shipped tree
}

// Build detects what dir holds and carries out the plan as a deploy does: in a private copy, with caches below cache.
func Build(t *testing.T, packs []buildpack.Buildpack, dir, cache string) App {
	t.Helper()
	src := scan(t, dir, source.Options{Ignore: true})
	found, err := buildpack.Detect(packs, src.FS())
	if err != nil {
		t.Fatalf("detect: %v", err)
	}
	work, shipped := filepath.Join(t.TempDir(), "build"), filepath.Join(t.TempDir(), "shipped")
	if err := src.Copy(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, step := range found.Plan.Steps {
		runStep(t, step, work, cache)
	}
	if found.Plan.Resolve != nil {
		if found.Plan.Start, err = found.Plan.Resolve(os.DirFS(work)); err != nil {
			t.Fatal(err)
		}
	}
	tree := scan(t, work, source.Options{Keep: found.Plan.Keep, Drop: found.Plan.Drop, Only: found.Plan.Ship})
	if err := tree.Copy(t.Context(), shipped); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s (%s): %d steps in %v, %d entries shipped, start %q", found.Name, found.Plan.Why, len(found.Plan.Steps),
		time.Since(began).Round(time.Millisecond), len(tree.Entries()), found.Plan.Start)
	return App{Dir: shipped, Found: found, Digest: tree.Digest()}
}

func scan(t *testing.T, dir string, options source.Options) *source.Tree {
	t.Helper()
	tree, err := source.Scan(t.Context(), dir, options)
	if err != nil {
		t.Fatalf("scan %s: %v", dir, err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	return tree
}

func runStep(t *testing.T, step buildpack.Step, app, cache string) {
	t.Helper()
	if _, err := exec.LookPath(step.Command[0]); err != nil {
		t.Skipf("%s is not on this machine: %s", step.Command[0], step.Needs)
	}
	expand := strings.NewReplacer("$CACHE", cache, "$APP", app)
	args := make([]string, len(step.Command))
	for i, arg := range step.Command {
		args[i] = expand.Replace(arg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Dir = filepath.Join(app, step.Dir)
	command.Env = append(buildpack.Environ(os.Environ()), expanded(step.Env, expand)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", step.Name, err, out)
	}
}

func expanded(env map[string]string, expand *strings.Replacer) []string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		all = append(all, fmt.Sprintf("%s=%s", k, expand.Replace(env[k])))
	}
	return all
}

// Files lists the regular files of the shipped tree.
func (a App) Files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(a.Dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
