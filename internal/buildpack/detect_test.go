package buildpack_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// fake matches a source with a file of its name.
type fake struct {
	name string
	plan buildpack.Plan
	err  error
}

var _ buildpack.Buildpack = fake{}

func (f fake) Name() string     { return f.name }
func (f fake) LooksFor() string { return "a file " + f.name }

func (f fake) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	if !buildpack.Exists(src, f.name) {
		return buildpack.Plan{}, false, nil
	}
	if f.err != nil {
		return buildpack.Plan{}, false, f.err
	}
	f.plan.Why = "has " + f.name
	return f.plan, true, nil
}

var (
	errBroken  = aloft.Errorf(aloft.Invalid, "broken").WithHint("mend it")
	errMissing = aloft.Errorf(aloft.Invalid, "no start").WithHint("add one")
)

func packs() []buildpack.Buildpack {
	return []buildpack.Buildpack{
		fake{name: "entry", plan: buildpack.Plan{Entry: true, Start: "./entry", Workers: map[string]string{"clock": "tick"}}},
		fake{name: "workers", plan: buildpack.Plan{Entry: true, Missing: errMissing, Workers: map[string]string{"clock": "tick"}}},
		fake{name: "lang", plan: buildpack.Plan{Start: "run lang", Steps: []buildpack.Step{{Name: "build"}}, Path: []string{"bin"}}},
		fake{name: "lib", plan: buildpack.Plan{Missing: errMissing, Steps: []buildpack.Step{{Name: "build"}}}},
		fake{name: "broken", err: errBroken},
		fake{name: "jar", plan: buildpack.Plan{Resolve: func(fs.FS) (string, error) { return "java", nil }}},
		fake{name: "static", plan: buildpack.Plan{Static: &buildpack.Static{}}},
	}
}

func files(names ...string) fstest.MapFS {
	src := fstest.MapFS{}
	for _, name := range names {
		src[name] = &fstest.MapFile{Data: []byte("x")}
	}
	return src
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files             string
		name, start, why  string
		steps             int
		clock, static, ok bool
		err               error
	}{
		{files: "lang", name: "lang", start: "run lang", why: "has lang", steps: 1, ok: true},
		{files: "lang static", name: "lang", start: "run lang", why: "has lang", steps: 1, ok: true},
		{files: "lang broken", name: "lang", start: "run lang", why: "has lang", steps: 1, ok: true},
		{files: "entry", name: "entry", start: "./entry", why: "has entry", clock: true, ok: true},
		{files: "entry lang", name: "entry + lang", start: "./entry", why: "has entry; has lang", steps: 1, clock: true, ok: true},
		{files: "entry workers lang", name: "entry + lang", start: "./entry", why: "has entry; has lang", steps: 1, clock: true, ok: true},
		{files: "entry lib", name: "entry + lib", start: "./entry", why: "has entry; has lib", steps: 1, clock: true, ok: true},
		{files: "entry jar", name: "entry + jar", start: "./entry", why: "has entry; has jar", clock: true, ok: true},
		{files: "entry static", name: "entry", start: "./entry", why: "has entry", clock: true, ok: true},
		{files: "workers lang", name: "workers + lang", start: "run lang", why: "has workers; has lang", steps: 1, clock: true, ok: true},
		{files: "static", name: "static", why: "has static", static: true, ok: true},
		{files: "jar", name: "jar", why: "has jar", ok: true},
		{files: "broken static", err: errBroken},
		{files: "entry broken", err: errBroken},
		{files: "workers", name: "workers", why: "has workers", clock: true, err: errMissing},
		{files: "workers lib", name: "workers + lib", why: "has workers; has lib", clock: true, steps: 1, err: errMissing},
		{files: "lib", name: "lib", why: "has lib", steps: 1, err: errMissing},
	} {
		r, err := buildpack.Detect(packs(), files(strings.Fields(c.files)...))
		if (err == nil) != c.ok || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: error %v", c.files, err)
		}
		p := r.Plan
		if r.Name != c.name || p.Start != c.start || p.Why != c.why || len(p.Steps) != c.steps || (p.Static != nil) != c.static ||
			(p.Workers["clock"] != "") != c.clock || p.Entry {
			t.Errorf("%s: %+v", c.files, r)
		}
		if len(r.Verdicts) != len(packs()) {
			t.Errorf("%s: %d verdicts", c.files, len(r.Verdicts))
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	r, err := buildpack.Detect(packs(), files("entry", "lib", "broken", "static"))
	if err != nil {
		t.Fatal(err)
	}
	want := []buildpack.Verdict{
		{Buildpack: "entry", Matched: true, Used: true, Why: "has entry"},
		{Buildpack: "workers", Why: "not found: a file workers"},
		{Buildpack: "lang", Why: "not found: a file lang"},
		{Buildpack: "lib", Matched: true, Used: true, Why: "has lib, but no start"},
		{Buildpack: "broken", Matched: true, Why: "broken"},
		{Buildpack: "jar", Why: "not found: a file jar"},
		{Buildpack: "static", Matched: true, Why: "has static"},
	}
	for i, v := range r.Verdicts {
		if v != want[i] {
			t.Errorf("%+v, want %+v", v, want[i])
		}
	}
}

func TestNothingFound(t *testing.T) {
	t.Parallel()
	_, err := buildpack.Detect(packs(), files("README.md"))
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.Invalid || e.Hint == "" {
		t.Fatalf("error %v", err)
	}
	for _, pack := range packs() {
		if !strings.Contains(e.Detail, pack.Name()) || !strings.Contains(e.Detail, pack.LooksFor()) {
			t.Errorf("detail does not say what %s looks for:\n%s", pack.Name(), e.Detail)
		}
	}
	if _, err := buildpack.Detect(packs(), fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("of an empty directory: %v", err)
	}
}
