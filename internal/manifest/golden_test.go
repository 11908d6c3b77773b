package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

// golden runs answer over the files of each archive and compares its text with the archive's last file, "want".
func golden(t *testing.T, dir string, answer func(t *testing.T, src fs.FS) string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in testdata/%s: %v", dir, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			src := fstest.MapFS{}
			want := ""
			for i, f := range archive.Files {
				if f.Name == "want" {
					want = string(f.Data)
					archive.Files = archive.Files[:i]
					break
				}
				src[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
			}
			got := answer(t, src)
			if *update {
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// Every mistake is told with its place, the line and the next step.
func TestBad(t *testing.T) {
	golden(t, "bad", func(t *testing.T, src fs.FS) string {
		t.Helper()
		_, _, err := manifest.Load(src)
		return describe(t, err)
	})
}

func describe(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.Invalid {
		t.Fatalf("got %#v, want an *aloft.Error with code invalid", err)
	}
	text := e.Message + "\n"
	if e.Detail != "" {
		text += e.Detail + "\n"
	}
	if e.Hint != "" {
		text += "hint: " + e.Hint + "\n"
	}
	return text
}

type view struct {
	Warnings []string          `json:",omitempty"`
	General  manifest.Settings // of a stage that no file names
	Stages   map[string]any    `json:",omitempty"` // of the stages that the files name
}

// What projects say arrives as it was meant.
func TestGood(t *testing.T) {
	golden(t, "good", func(t *testing.T, src fs.FS) string {
		t.Helper()
		m, warnings, err := manifest.Load(src)
		if err != nil {
			t.Fatal(describe(t, err))
		}
		v := view{General: m.Stage("any"), Stages: map[string]any{}}
		if err := v.General.Validate(); err != nil {
			t.Error(err)
		}
		for _, w := range warnings {
			v.Warnings = append(v.Warnings, w.String())
		}
		for _, name := range m.Stages() {
			v.Stages[name] = difference(t, v.General, m.Stage(name))
		}
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	})
}

// difference returns the top-level fields in which the stage differs.
func difference(t *testing.T, general, stage manifest.Settings) map[string]json.RawMessage {
	t.Helper()
	fields := func(s manifest.Settings) map[string]json.RawMessage {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	g, s := fields(general), fields(stage)
	for name, value := range s {
		if bytes.Equal(value, g[name]) {
			delete(s, name)
		}
	}
	return s
}
