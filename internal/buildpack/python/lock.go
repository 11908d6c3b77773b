package python

import (
	"io/fs"
	"maps"
	"slices"

	"github.com/aloft-run/aloft/internal/buildpack"
)

// lockFile is what uv.lock and poetry.lock have in common.
type lockFile struct {
	Package []struct {
		Name    string         `toml:"name"`
		Version string         `toml:"version"`
		Source  map[string]any `toml:"source"`
	} `toml:"package"`
}

// pins are the versions of the packages that have one version. Of several (one per platform or Python) pip chooses.
func (l *lockFile) pins() []string {
	count := map[string]int{}
	for _, p := range l.Package {
		count[p.Name]++
	}
	var pins []string
	for _, p := range l.Package {
		if p.Version != "" && count[p.Name] == 1 {
			pins = append(pins, p.Name+"=="+p.Version)
		}
	}
	slices.Sort(pins)
	return pins
}

// readUVLock pins versions, which pip understands, so that uv need not be installed. A lock with packages from git or from
// paths is left to uv, which alone knows them.
func readUVLock(src fs.FS, d *dependencies) error {
	var lock lockFile
	if _, err := buildpack.ReadTOML(src, "uv.lock", &lock); err != nil {
		return err
	}
	own := func(source map[string]any) bool { return source["virtual"] == "." || source["editable"] == "." }
	for i, p := range lock.Package {
		if own(p.Source) {
			lock.Package[i].Version = "" // the project itself is not installed
		} else if p.Source["registry"] == nil {
			d.uv = true
		}
	}
	d.pins = lock.pins()
	return nil
}

func readPoetryLock(src fs.FS, d *dependencies) error {
	var lock lockFile
	_, err := buildpack.ReadTOML(src, "poetry.lock", &lock)
	d.pins = lock.pins()
	return err
}

// readPipfile takes everything from Pipfile.lock, which is complete, or else what Pipfile asks for.
func readPipfile(src fs.FS, d *dependencies) error {
	var file struct {
		Packages map[string]any `toml:"packages"`
	}
	d.from = "Pipfile"
	if _, err := buildpack.ReadTOML(src, "Pipfile", &file); err != nil {
		return err
	}
	var lock struct {
		Default map[string]struct {
			Version string   `json:"version"`
			Markers string   `json:"markers"`
			Extras  []string `json:"extras"`
		} `json:"default"`
	}
	locked, err := buildpack.ReadJSON(src, "Pipfile.lock", &lock)
	if err != nil {
		return err
	}
	if err := declareTable(d, "Pipfile", file.Packages, locked); err != nil || !locked {
		return err
	}
	d.from, d.args = "Pipfile.lock", nil
	for _, name := range slices.Sorted(maps.Keys(lock.Default)) {
		p := lock.Default[name]
		line := name + p.Version
		if p.Markers != "" {
			line += " ; " + p.Markers
		}
		if file.Packages == nil {
			declare(d.names, name)
		}
		d.args = append(d.args, line)
	}
	return nil
}
