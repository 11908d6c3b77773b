package manifest_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

// Whatever the files hold: a result that obeys the rules or an Invalid error with a place, soon.
func FuzzLoad(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds in %s: %v", dir, err)
		}
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			files := map[string]string{}
			for _, file := range archive.Files {
				files[file.Name] = string(file.Data)
			}
			f.Add(files["aloft.yml"], files["up.json"], files["app.json"])
		}
	}
	f.Fuzz(func(t *testing.T, ours, up, app string) {
		src := fstest.MapFS{}
		for name, content := range map[string]string{"aloft.yml": ours, "up.json": up, "app.json": app} {
			if content != "" {
				src[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
			}
		}
		start := time.Now()
		m, warnings, err := manifest.Load(src)
		acceptable(t, err)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		for _, w := range warnings {
			if w.Line < 1 || w.Column < 1 || strings.ContainsAny(w.Text, "\n\x1b") {
				t.Errorf("warning %q", w)
			}
		}
		if err != nil {
			return
		}
		for _, stage := range append(m.Stages(), "any") {
			if err := m.Stage(stage).Validate(); err != nil {
				t.Errorf("%s: %v", stage, err)
			}
		}
	})
}

func acceptable(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.Invalid {
		t.Fatalf("got %#v", err)
	}
	for _, text := range []string{e.Message, e.Hint, e.Detail} {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\r") || len(text) > 2000 {
			t.Errorf("unfit to show: %q", text)
		}
	}
	if strings.Contains(e.Message, "\n") {
		t.Errorf("more than one line: %q", e.Message)
	}
}
