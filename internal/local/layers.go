package local

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// unpackLayers extracts what functions see at /opt, each artifact once. The caller removes it, also after an error.
func (d *deployment) unpackLayers(ctx context.Context) error {
	d.layers = map[string]string{}
	for _, f := range d.release.Functions {
		if f.Opt == "" || d.layers[f.Opt] != "" {
			continue
		}
		dir, err := d.platform.unpack(ctx, d.release, f.Opt, "v"+strconv.Itoa(d.release.Version)+"-opt")
		if err != nil {
			return err
		}
		d.layers[f.Opt] = dir
	}
	return nil
}

// layersOf are the layers of a function: where they lie, and where its instances see them. Both are "" if it has none.
func (d *deployment) layersOf(f aloft.Function, layout engine.Layout) (dir, seen string) {
	dir = d.layers[f.Opt]
	if dir == "" {
		return "", ""
	}
	return dir, cmp.Or(layout.Opt, dir)
}

// addLayers puts into vars how programs find what the layers of a function hold.
func (d *deployment) addLayers(vars map[string]string, f aloft.Function, layout engine.Layout) {
	dir, seen := d.layersOf(f, layout)
	if dir == "" {
		return
	}
	vars[lambdaruntime.LayersVar] = seen
	for name, list := range lambdaruntime.LayerVars(f.Runtime, seen, os.DirFS(dir)) {
		switch before := vars[name]; {
		case before != "":
			list = before + ":" + list
		case name == "GEM_PATH":
			list += ":" // Ruby's own places too, which it leaves out otherwise
		}
		vars[name] = list
	}
}

// extensions are the programs beside each instance of a handler: the names by which they register, and where instances see
// them. Those of layers win.
func (d *deployment) extensions(f aloft.Function) (names, programs []string) {
	if f.Kind != aloft.Handler {
		return nil, nil
	}
	at := map[string]string{}
	for _, name := range lambdaruntime.Extensions(os.DirFS(d.tree)) {
		at[name] = "./" + lambdaruntime.ExtensionsDir + "/" + name
	}
	if dir, seen := d.layersOf(f, d.platform.Engine.Layout(d.tree, "")); dir != "" {
		for _, name := range lambdaruntime.Extensions(os.DirFS(dir)) {
			at[name] = filepath.Join(seen, lambdaruntime.ExtensionsDir, name)
		}
	}
	names = slices.Sorted(maps.Keys(at))
	for _, name := range names {
		programs = append(programs, at[name])
	}
	return names, programs
}
