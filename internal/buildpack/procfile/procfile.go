// Package procfile is the buildpack of sources that say themselves what to run: a Procfile with a line per process type.
// It knows nothing about building; the plan of the source's language does that.
package procfile

import (
	"io/fs"
	"regexp"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "procfile".
func (Buildpack) Name() string { return "procfile" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string { return "Procfile with a line \"web: COMMAND\"" }

// Detect reads the Procfile. A release line is among the workers: whoever carries the plan out knows that it runs once.
// Without a web line the plan has only workers, and what the source's language starts is the web function.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	const name = "Procfile"
	data, ok, err := buildpack.Read(src, name)
	if !ok || err != nil {
		return buildpack.Plan{}, false, err
	}
	lines, err := parse(name, data)
	if err != nil {
		return buildpack.Plan{}, false, err
	}
	plan := buildpack.Plan{Entry: true, Start: lines["web"], Why: "Procfile has a web line"}
	if plan.Start == "" {
		plan.Why = "Procfile has no web line"
		plan.Missing = aloft.Errorf(aloft.Invalid, "Procfile has no web line").
			WithHint("add one that starts your server on $PORT: \"web: COMMAND\"")
	}
	for process, command := range lines {
		if process == "web" {
			continue
		}
		if plan.Workers == nil {
			plan.Workers = map[string]string{}
		}
		plan.Workers[process] = command
	}
	return plan, true, nil
}

var linePattern = regexp.MustCompile(`^([A-Za-z0-9_-]+)[ \t]*:[ \t]*(.*)$`)

// parse returns the command of each process type. A name is written in our form: lower-case, dashes for underscores.
func parse(file string, data []byte) (map[string]string, error) {
	if at := strings.IndexByte(string(data), 0); at >= 0 {
		return nil, buildpack.FileError(file, data, at, "NUL byte")
	}
	if at := strings.IndexByte(strings.ToValidUTF8(string(data), "\x00"), 0); at >= 0 { // there was none before
		return nil, buildpack.FileError(file, data, at, "not UTF-8 text")
	}
	lines := map[string]string{}
	offset := 0
	for raw := range strings.Lines(string(data)) {
		at := offset
		offset += len(raw)
		line := strings.TrimSpace(raw)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at += strings.Index(raw, line)
		match := linePattern.FindStringSubmatch(line)
		if match == nil {
			return nil, buildpack.FileError(file, data, at, "a line must read \"NAME: COMMAND\"")
		}
		process := strings.ReplaceAll(strings.ToLower(match[1]), "_", "-")
		if err := aloft.CheckName("process", process); err != nil {
			return nil, buildpack.FileError(file, data, at, err.Error())
		}
		if match[2] == "" {
			return nil, buildpack.FileError(file, data, at+len(line), "process "+process+" has no command")
		}
		if _, twice := lines[process]; twice {
			return nil, buildpack.FileError(file, data, at, "process "+process+" has a line already")
		}
		lines[process] = match[2]
	}
	return lines, nil
}
