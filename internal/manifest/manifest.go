// Package manifest reads what a project says about itself: aloft.yml, and the files of other tools as they are, up.json
// (apex/up) and app.json (Heroku, Dokku). It reads a tree and returns values; it runs nothing, detects nothing
// and knows neither releases nor platforms. The keys of each file are one table, from which decoding, the JSON Schema and
// the reference are made.
package manifest

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
)

// The files that Load reads, in the root of the source.
const (
	AloftFile = "aloft.yml"
	UpFile    = "up.json"
	AppFile   = "app.json"
)

// Manifest is the merged, validated view of a project's files. The zero value is that of a project without any.
type Manifest struct {
	layer
}

// layer is what one file says, or several merged. Zero values mean "not said".
type layer struct {
	base   Settings
	stages map[string]Settings
}

// Warning says that a part of a file has no effect.
type Warning struct {
	File         string
	Line, Column int // from 1
	Text         string
}

// String returns "FILE:LINE:COLUMN: TEXT".
func (w Warning) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", w.File, w.Line, w.Column, w.Text)
}

// Reader reads the files of projects. Its zero value looks at everything but what event sources say.
type Reader struct {
	Source func(text string) (canonical string, err error) // reads an event source; nil takes any
}

// Load is that of a Reader without anything.
func Load(src fs.FS) (Manifest, []Warning, error) { return Reader{}.Load(src) }

// Load reads aloft.yml, up.json and app.json from the root of src. All are optional. Where they disagree, aloft.yml wins
// over up.json and up.json over app.json, key by key; what a file says for one stage wins over what any file says for all.
// A mistake is an *aloft.Error with code Invalid that begins with
// FILE:LINE:COLUMN; in the files of other tools, what has no meaning here is a warning instead.
func (r Reader) Load(src fs.FS) (Manifest, []Warning, error) {
	var merged layer
	var warnings []Warning
	for _, file := range []struct {
		name   string
		decode func(*document) (layer, error)
	}{
		{AppFile, decodeApp},
		{UpFile, decodeUp},
		{AloftFile, decodeAloft},
	} {
		text, found, err := readFile(src, file.name)
		if err != nil {
			return Manifest{}, nil, err
		}
		if !found {
			continue
		}
		doc := &document{name: file.name, text: text, source: r.Source}
		top, err := file.decode(doc)
		if err != nil {
			return Manifest{}, nil, err
		}
		merged = top.over(merged)
		warnings = append(doc.warnings, warnings...)
	}
	if err := misnamed(src); err != nil {
		return Manifest{}, nil, err
	}
	return Manifest{merged}, warnings, nil
}

// misnamed refuses a file that its author surely believes to be read.
func misnamed(src fs.FS) error {
	const wrong = "aloft.yaml"
	if _, err := fs.Lstat(src, wrong); err == nil {
		return aloft.Errorf(aloft.Invalid, "%s: the file's name must be %s", wrong, AloftFile).
			WithHint("rename %s to %s", wrong, AloftFile)
	}
	return nil
}

// Name is the app's name, "" if no file says it.
func (m Manifest) Name() string { return m.base.Name }

// Stages lists the stages that have settings of their own, sorted.
func (m Manifest) Stages() []string { return slices.Sorted(maps.Keys(m.stages)) }

// Stage returns the settings for a stage: the defaults, then what the files say, then what they say for this stage.
// A stage without settings of its own gets the general ones. The result shares no memory with m.
func (m Manifest) Stage(name string) Settings {
	s := m.stages[name].over(m.base).over(Default())
	s.Required = slices.DeleteFunc(s.Required, func(v EnvVar) bool {
		_, known := s.Env[v.Name]
		return known
	})
	return s
}
