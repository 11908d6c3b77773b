package stack_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// sized is a tree of files that say to be larger than they are.
type sized struct {
	fstest.MapFS
	size int64
}

func (s sized) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := s.MapFS.ReadDir(name)
	for i, entry := range all {
		if !entry.IsDir() {
			all[i] = large{entry, s.size}
		}
	}
	return all, err
}

type large struct {
	fs.DirEntry
	size int64
}

func (l large) Info() (fs.FileInfo, error) { return info(l), nil }

type info large

func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return 0o644 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) Sys() any           { return nil }

func TestTreeThatDoesNotFit(t *testing.T) {
	t.Parallel()
	web := []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./app"}, Runtime: "provided.al2023"}}
	handler := []aloft.Function{{Name: "fn", Kind: aloft.Handler, Command: []string{"./bootstrap"}, Runtime: "provided.al2023"}}
	small := fstest.MapFS{"app": {Data: []byte("x"), Mode: 0o755}, "bootstrap": {Data: []byte("x"), Mode: 0o755}}
	if _, err := stack.Fit(web, small); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "bootstrap") {
		t.Errorf("a file bootstrap beside a server: %v", err)
	}
	if _, err := stack.Fit(handler, small); err != nil {
		t.Errorf("a handler that is a bootstrap: %v", err)
	}
	files := fstest.MapFS{"lib/a": {}, "lib/b": {}, "app": {}}
	if _, err := stack.Fit(web, sized{files, 80 << 20}); err != nil {
		t.Errorf("240 MB: %v", err)
	}
	_, err := stack.Fit(web, sized{files, 84 << 20})
	refused, is := err.(*aloft.Error) //nolint:errorlint // it is one itself
	if !is || refused.Code != aloft.Invalid || !strings.Contains(refused.Hint, "lib 176.2 MB, app 88.1 MB") {
		t.Errorf("252 MB: %v", err)
	}
}

// TestInterpreters: a server whose interpreter nobody has is refused as soon as the tree is known, and only such a one.
func TestInterpreters(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o755} }
	script := file("#!/usr/bin/env lua\nprint(1)\n")
	for name, c := range map[string]struct {
		tree    fstest.MapFS
		change  func(*aloft.Function)
		runtime string // "" if it is refused
	}{
		"nowhere":   {tree: fstest.MapFS{"server": script}},
		"elsewhere": {tree: fstest.MapFS{"server": script, "tools/lua": file("\x7fELF")}},
		"bundled":   {tree: fstest.MapFS{"server": file("#!bin/lua\n"), "bin/lua": file("\x7fELF")}, runtime: "provided"},
		"on the PATH": {
			tree: fstest.MapFS{"server": script, "bin/lua": file("\x7fELF")}, runtime: "provided",
			change: func(f *aloft.Function) { f.Env = map[string]string{"PATH": "${APP}/bin:$PATH"} },
		},
		"in a layer": {
			tree: fstest.MapFS{"server": script}, runtime: "provided",
			change: func(f *aloft.Function) {
				f.Lambda = &aloft.Lambda{Layers: []string{"arn:aws:lambda:us-east-1:123456789012:layer:lua:3"}}
			},
		},
		"said":  {tree: fstest.MapFS{"server": script}, runtime: "provided.al2023", change: func(f *aloft.Function) { f.Runtime = "provided.al2023" }},
		"shell": {tree: fstest.MapFS{"server": file("#!/bin/bash\nwhile nc -l $PORT; do :; done\n")}, runtime: "provided"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := aloft.Function{Name: "web", Kind: aloft.Web, Command: []string{"./server"}}
			if c.change != nil {
				c.change(&f)
			}
			fitted, err := stack.Fit([]aloft.Function{f}, c.tree)
			if c.runtime != "" {
				if err != nil || fitted[0].Runtime != c.runtime {
					t.Errorf("it runs in %q, %v", fitted[0].Runtime, err)
				}
				return
			}
			refused, is := errors.AsType[*aloft.Error](err)
			if !is || refused.Code != aloft.Invalid || !strings.Contains(refused.Message, "web: ./server: no runtime of AWS Lambda has lua") || !strings.Contains(refused.Hint, "./bin/lua") {
				t.Errorf("it is refused with %v", err)
			}
		})
	}
}
