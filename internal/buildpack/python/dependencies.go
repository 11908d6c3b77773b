package python

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

// dependencies are what to install, and how it is declared.
type dependencies struct {
	from  string          // the file that declares them, "" if none does
	names map[string]bool // declared packages, in normal form
	args  []string        // what pip installs: requirements, or "-r" and a file
	pins  []string        // "name==version" from a lock file: what is installed has these versions
	uv    bool            // only uv can install what the lock file names
}

// findDependencies prefers a lock file, then requirements.txt, which projects keep for deploys, to what they develop with.
func findDependencies(src fs.FS) (dependencies, error) {
	var project pyproject
	d := dependencies{names: map[string]bool{}}
	found, err := buildpack.ReadTOML(src, "pyproject.toml", &project)
	if err != nil {
		return d, err
	}
	switch {
	case found && buildpack.Exists(src, "uv.lock"):
		d.from = "uv.lock"
		if err = project.declare(&d, true); err == nil {
			err = readUVLock(src, &d)
		}
	case found && buildpack.Exists(src, "poetry.lock"):
		d.from = "poetry.lock"
		if err = project.declare(&d, true); err == nil {
			err = readPoetryLock(src, &d)
		}
	case buildpack.Exists(src, "Pipfile.lock") || buildpack.Exists(src, "Pipfile"):
		err = readPipfile(src, &d)
	case buildpack.Exists(src, "requirements.txt"):
		d.from, d.args = "requirements.txt", []string{"-r", "requirements.txt"}
		err = readRequirements(src, "requirements.txt", d.names, 0)
	case found && (len(project.Project.Dependencies) > 0 || project.Project.Name != "" || len(project.Tool.Poetry.Dependencies) > 0):
		d.from = "pyproject.toml"
		err = project.declare(&d, false)
	}
	return d, err
}

// readRequirements notes the names in a requirements file and in those it includes.
func readRequirements(src fs.FS, name string, names map[string]bool, depth int) error {
	data, ok, err := buildpack.Read(src, name)
	if !ok || err != nil || depth > 8 {
		return err
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		include, ok := strings.CutPrefix(line, "-r ")
		if !ok {
			include, ok = strings.CutPrefix(line, "--requirement ")
		}
		if ok {
			if err := readRequirements(src, path.Join(path.Dir(name), strings.TrimSpace(include)), names, depth+1); err != nil {
				return err
			}
			continue
		}
		declare(names, line)
	}
	return nil
}

// pyproject is the part of a pyproject.toml that matters here.
type pyproject struct {
	Project struct {
		Name         string   `toml:"name"`
		Dependencies []string `toml:"dependencies"`
	} `toml:"project"`
	Tool struct {
		Poetry struct {
			Dependencies map[string]any `toml:"dependencies"`
		} `toml:"poetry"`
	} `toml:"tool"`
}

// declare takes over the declared dependencies. With a lock the names are enough: it says the versions.
func (p *pyproject) declare(d *dependencies, locked bool) error {
	for _, line := range p.Project.Dependencies {
		declare(d.names, line)
		d.args = append(d.args, line)
	}
	if len(d.args) > 0 {
		return nil
	}
	table := maps.Clone(p.Tool.Poetry.Dependencies)
	delete(table, "python")
	return declareTable(d, "pyproject.toml", table, locked)
}

// declareTable takes over a table of Poetry or Pipenv: name to a version constraint, or to a table that holds one.
func declareTable(d *dependencies, file string, table map[string]any, locked bool) error {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		version, extras, ok := constraint(table[name])
		if !ok {
			return aloft.Errorf(aloft.Invalid, "%s: pip cannot install the dependency %q as it is declared", file, name).
				WithHint("write a requirements.txt that names it (pip freeze > requirements.txt)")
		}
		if version == optional {
			continue
		}
		spec, ok := specifier(version)
		if !ok && !locked {
			return aloft.Errorf(aloft.Invalid, "%s: the version %q of %q is not understood", file, version, name).
				WithHint("write it like \">=1.2,<2\"")
		}
		if locked {
			spec = ""
		}
		declare(d.names, name+extras)
		d.args = append(d.args, name+extras+spec)
	}
	return nil
}

// optional stands for the version of a dependency that is installed on request only.
const optional = "optional"

func constraint(value any) (version, extras string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, "", true
	case map[string]any:
		for _, foreign := range []string{"git", "path", "url", "file"} {
			if v[foreign] != nil {
				return "", "", false
			}
		}
		if v["optional"] == true {
			return optional, "", true
		}
		version, _ = v["version"].(string)
		if list, _ := v["extras"].([]any); len(list) > 0 {
			var all []string
			for _, e := range list {
				if text, ok := e.(string); ok {
					all = append(all, text)
				}
			}
			extras = "[" + strings.Join(all, ",") + "]"
		}
		return version, extras, true
	}
	return "", "", false
}
