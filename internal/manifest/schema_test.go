package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

func TestSchemaGolden(t *testing.T) {
	const path = "testdata/schema.json"
	got := manifest.Schema()
	for range 3 {
		if !bytes.Equal(got, manifest.Schema()) {
			t.Fatal("not the same bytes each time")
		}
	}
	if *update {
		check(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the change and run with -update:\n%s", path, got)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest.Schema()))
	check(t, err)
	compiler := jsonschema.NewCompiler()
	check(t, compiler.AddResource("aloft.json", doc))
	schema, err := compiler.Compile("aloft.json")
	check(t, err)
	return schema
}

// documents returns the aloft.yml of each case as plain values.
func documents(t *testing.T, dir string) map[string]any {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	check(t, err)
	found := map[string]any{}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		check(t, err)
		for _, f := range archive.Files {
			var v any
			if f.Name == manifest.AloftFile && yaml.Unmarshal(f.Data, &v) == nil && v != nil {
				found[strings.TrimSuffix(filepath.Base(path), ".txtar")] = v
			}
		}
	}
	return found
}

// An editor that has the schema accepts what aloft accepts.
func TestSchemaAcceptsGood(t *testing.T) {
	schema := compiled(t)
	for name, v := range documents(t, "good") {
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An editor that has the schema marks the mistakes that aloft refuses, except those no schema can express.
func TestSchemaRefusesBad(t *testing.T) {
	schema := compiled(t)
	beyond := []string{
		"build-twice", "start-twice", "static-and-start", "static-out", "static-absolute", // two keys at once; a path's meaning
		"max-below-min", "soft-above-hard", "network-host", "handler-and-command", "runtime-unknown",
		"duration-zero", "async-max-event-age", "duration-huge", "duration-overflow", "size-zero",
		"resource-retention", "resource-dead-letters", "resource-dead-letters-self", "resource-max-receives", "resource-no-type", "resource-option",
		"resource-duration", "aws-region-and-regions", "aws-waf",
		"resource-mail", "resource-cloud-option", "lambda-storage", "lambda-role", "lambda-snapstart", "lambda-reserved",
		"uses-resource", "uses-none", "uses-word", "uses-word-far", "uses-word-none", "uses-twice", "uses-stage", "uses-other-stage",
		"tag", "anchor-unknown", "anchor-cycle", "documents", // of YAML
	}
	refused := 0
	for name, v := range documents(t, "bad") {
		err := schema.Validate(v)
		if err == nil && !slices.Contains(beyond, name) {
			t.Errorf("%s is accepted", name)
		}
		if err != nil {
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("only %d cases refused", refused)
	}
}

// The schema's copy of the name rule is the rule.
func TestSchemaNames(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{
		"a", "a1", "a-b", "shop", strings.Repeat("a", 40), strings.Repeat("a", 41), "", "-a", "a-", "1a", "A", "a_b", "a.b", "é", "a b", "a--b",
	} {
		bySchema := schema.Validate(map[string]any{"name": name}) == nil
		if byRule := aloft.CheckName("app", name) == nil; bySchema != byRule {
			t.Errorf("%q: schema %v, rule %v", name, bySchema, byRule)
		}
	}
}

// The reference has each key of the schema once, with all that a page needs.
func TestReference(t *testing.T) {
	docs := manifest.Reference()
	seen := map[string]bool{}
	for _, d := range docs {
		if seen[d.Key] {
			t.Errorf("%s is there twice", d.Key)
		}
		seen[d.Key] = true
		if d.Type == "" || !strings.HasSuffix(d.Meaning, ".") {
			t.Errorf("incomplete: %+v", d)
		}
	}
	for _, want := range []string{"name", "health.path", "functions.FUNCTION.memory", "hooks.predeploy", "stages.STAGE"} {
		if !seen[want] {
			t.Errorf("%s is missing", want)
		}
	}
	if i := slices.IndexFunc(docs, func(d manifest.KeyDoc) bool { return d.Key == "drain" }); docs[i].Default != "30s" {
		t.Errorf("drain: %+v", docs[i])
	}
}
