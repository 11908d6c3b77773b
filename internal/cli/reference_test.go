package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aloft-run/aloft/internal/cli"
	"github.com/aloft-run/aloft/internal/manifest"
)

var update = flag.Bool("update", false, "write docs/REFERENCE.md")

// TestReferenceUpToDate: docs/REFERENCE.md is made from the commands and the manifest's keys.
// `go test ./internal/cli -run Reference -update` writes it.
func TestReferenceUpToDate(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "docs", "REFERENCE.md")
	want := reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("docs/REFERENCE.md lags behind the code (%v); run: go test ./internal/cli -run Reference -update", err)
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString("# Reference\n\nMade from the code; do not edit.\n\n## aloft.yml\n\n")
	b.WriteString("All keys are optional, and so is the file. `aloft schema` prints a JSON Schema for editors.\n\n")
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, k := range manifest.Reference() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Key, cell(k.Type), cell(k.Default), cell(k.Meaning))
	}
	b.WriteString("\n## Commands\n\n")
	root := cli.Root()
	b.WriteString(flags("Flags of all commands", root.PersistentFlags()))
	for _, c := range root.Commands() {
		describe(&b, c)
	}
	return b.String()
}

func describe(b *strings.Builder, c *cobra.Command) {
	if c.Hidden {
		return
	}
	fmt.Fprintf(b, "### %s\n\n%s.\n\n", strings.TrimSuffix(c.CommandPath(), " [flags]"), strings.TrimSuffix(c.Short, "."))
	if c.Long != "" {
		fmt.Fprintf(b, "```text\n%s\n```\n\n", strings.TrimSpace(c.Long))
	}
	fmt.Fprintf(b, "```console\n$ %s\n```\n\n", c.UseLine())
	if c.Example != "" {
		fmt.Fprintf(b, "Examples:\n\n```console\n%s\n```\n\n", strings.TrimRight(c.Example, "\n"))
	}
	b.WriteString(flags("Flags", c.LocalNonPersistentFlags()))
	for _, sub := range c.Commands() {
		describe(b, sub)
	}
}

func flags(title string, set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(usage))
	})
	if b.Len() == 0 {
		return ""
	}
	return title + ":\n\n| flag | meaning |\n|---|---|\n" + b.String() + "\n"
}

func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ")
}
