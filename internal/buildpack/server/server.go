// Package server is the buildpack of the plainest app there is: an executable file named server, a script with a shebang
// or a binary.
package server

import (
	"io/fs"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "server".
func (Buildpack) Name() string { return "server" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string {
	return "executable file ./server (a script with a #! line, or a binary)"
}

// Detect looks for the file. One that looks like a program but may not be executed is an error, since a forgotten chmod is
// the likely reason.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	const name = "server"
	if !buildpack.Exists(src, name) {
		return buildpack.Plan{}, false, nil
	}
	magic, mode, err := head(src, name)
	if err != nil {
		return buildpack.Plan{}, false, aloft.Errorf(aloft.Invalid, "read server: %w", err).
			WithHint("check that the file is readable: ls -l server")
	}
	script := strings.HasPrefix(magic, "#!")
	binary := magic == "\x7fELF" || magic == "\xcf\xfa\xed\xfe"
	if mode&0o111 == 0 {
		if script || binary {
			return buildpack.Plan{}, false, aloft.Errorf(aloft.Invalid, "./server is not executable").WithHint("run: chmod +x server")
		}
		return buildpack.Plan{}, false, nil
	}
	if !script && !binary {
		return buildpack.Plan{}, false, aloft.Errorf(aloft.Invalid, "./server is executable but neither a binary nor a script with a #! line").
			WithHint("begin it with the interpreter, for example: #!/usr/bin/env node")
	}
	return buildpack.Plan{Entry: true, Start: "./server", Why: "./server is executable"}, true, nil
}

// head returns the first four bytes and the mode.
func head(src fs.FS, name string) (string, fs.FileMode, error) {
	f, err := src.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	b := make([]byte, 4)
	n, _ := f.Read(b) // an empty file is one without a head
	return string(b[:n]), info.Mode(), nil
}
