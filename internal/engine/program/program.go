// Package program finds the file that a sandbox's command names, as the sandbox sees files, and explains why one cannot be
// started.
package program

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

func failed(spec engine.Spec, format string, args ...any) *aloft.Error {
	return aloft.Errorf(aloft.Failed, "cannot start %s: %w", spec.ID, fmt.Errorf(format, args...))
}

// View translates a path as a sandbox sees it to where the file lies on the machine, "" if the sandbox cannot see it. Nil is
// a sandbox that sees what the machine has.
type View func(path string) string

func (v View) stat(path string) (os.FileInfo, error) {
	if v != nil {
		if path = v(path); path == "" {
			return nil, os.ErrNotExist
		}
	}
	return os.Stat(path)
}

// Find returns the file of spec.Command[0], as the sandbox sees it and as the program itself would find it: in the PATH of
// its environment, or relative to its directory.
func Find(spec engine.Spec, view View) (string, error) {
	if len(spec.Command) == 0 || spec.Command[0] == "" {
		return "", failed(spec, "the command is empty").WithHint("say what to run, for example in a Procfile: web: ./server")
	}
	if info, err := view.stat(spec.Dir); spec.Dir != "" && (err != nil || !info.IsDir()) {
		return "", failed(spec, "its directory %s does not exist", spec.Dir)
	}
	name := spec.Command[0]
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(spec.Dir, path)
		}
		return path, check(spec, view, name, path)
	}
	search := pathOf(spec.Env)
	var found error
	for _, dir := range filepath.SplitList(search) {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(spec.Dir, dir)
		}
		path := filepath.Join(dir, name)
		if _, err := view.stat(path); err != nil {
			continue
		}
		err := check(spec, view, name, path)
		if err == nil {
			return path, nil
		}
		found = err
	}
	if found != nil {
		return "", found
	}
	return "", failed(spec, "there is no program %q", name).WithHint("install it or correct the command; PATH is %s", search)
}

func pathOf(env []string) string {
	search := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			search = v
		}
	}
	return search
}

func check(spec engine.Spec, view View, name, path string) error {
	info, err := view.stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return failed(spec, "there is no file %s", name).WithHint("correct the command, or ship the file: an ignore file may leave it out")
	case err != nil:
		return failed(spec, "look at %s: %w", name, err)
	case info.IsDir():
		return failed(spec, "%s is a directory", name)
	case info.Mode()&0o111 == 0:
		return failed(spec, "%s is not executable", name).WithHint("run: chmod +x %s", name)
	}
	return nil
}

// Explain says why the system refused to start path, a file that is there and executable.
func Explain(err error, path string, spec engine.Spec, view View) error {
	if view != nil {
		path = view(path)
	}
	name := spec.Command[0]
	interpreter := shebang(path)
	switch {
	case errors.Is(err, syscall.ENOENT) && strings.HasSuffix(interpreter, "\r"):
		return failed(spec, "the first line of %s ends with a carriage return", name).
			WithHint("save the file with Unix line ends: sed -i 's/\\r$//' %s", name)
	case errors.Is(err, syscall.ENOENT) && interpreter != "":
		return failed(spec, "%s wants the interpreter %s, which does not exist", name, interpreter).
			WithHint("install it, or correct the first line of %s", name)
	case errors.Is(err, syscall.ENOENT):
		return failed(spec, "%s needs a loader that does not exist on this machine", name).
			WithHint("it was built for another C library: build it here, or statically")
	case errors.Is(err, syscall.ENOEXEC):
		return failed(spec, "%s is not a program for this machine", name).
			WithHint("a script starts with a line such as #!/bin/sh; a binary must be built for this system and processor")
	case errors.Is(err, syscall.EACCES):
		return failed(spec, "%s may not be executed: %w", name, err).WithHint("see the permissions of the file and its directories")
	case errors.Is(err, syscall.E2BIG):
		return failed(spec, "its arguments and environment are too large").WithHint("make the config values smaller: 128 KB each is the limit")
	}
	return failed(spec, "%w", err)
}

// shebang returns the interpreter that the file's first line names, "" if none.
func shebang(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	line, _ := bufio.NewReaderSize(f, 256).ReadSlice('\n')
	rest, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), "#!")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " \t")
	if i := strings.IndexAny(rest, " \t"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
