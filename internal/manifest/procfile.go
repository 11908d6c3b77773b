package manifest

import (
	"io/fs"
	"strings"
)

// Process is a line of a Procfile: a function.
type Process struct {
	Name    string // in our form: other tools allow capitals and underscores, "Clock_Work" is "clock-work" here
	Command string // shell line
	Line    int    // from 1
}

// Procfile reads the Procfile in the root of src, in the order of its lines. It returns nil without an error if there is
// none, and an Invalid error with its place for a line that is not "NAME: COMMAND".
func Procfile(src fs.FS) ([]Process, error) {
	content, found, err := readFile(src, ProcfileFile)
	if err != nil || !found {
		return nil, err
	}
	d := &document{name: ProcfileFile, text: content, foreign: true}
	var processes []Process
	seen := map[string]place{}
	number := 0
	for raw := range strings.SplitSeq(content, "\n") {
		number++
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' {
			continue
		}
		at := place{number, len(raw) - len(strings.TrimLeft(raw, " \t")) + 1}
		p, err := process(d, line, at)
		if err != nil {
			return nil, err
		}
		if err := d.once(seen, p.Name, at); err != nil {
			return nil, err
		}
		processes = append(processes, p)
	}
	return processes, nil
}

func process(d *document, line string, at place) (Process, error) {
	const example = "write a line such as web: node server.js"
	name, command, found := strings.Cut(line, ":")
	command = strings.TrimSpace(command)
	switch {
	case !found:
		return Process{}, d.fault(at, "expected NAME: COMMAND").WithHint(example)
	case command == "":
		return Process{}, d.fault(at, "%s has no command", quote(name)).WithHint(example)
	case strings.ContainsFunc(name, func(r rune) bool { return r > 'z' || !strings.ContainsRune(wordRunes, r) }):
		return Process{}, d.fault(at, "%s cannot be a function's name", quote(name)).WithHint(example)
	}
	name = ourName(name)
	return Process{name, command, at.line}, d.checkName("function", name, at)
}

const wordRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
