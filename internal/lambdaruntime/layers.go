package lambdaruntime

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// LayersVar names the directory of a function's layers to our clients, and to programs that cannot rely on /opt.
const LayersVar = "ALOFT_LAYERS"

// LayerVars are the variables by which a runtime finds what layers hold, which lies at opt. Values are lists of directories to be
// put behind those that are there already ("Adding layers to functions", "Layer paths for each Lambda runtime"). Files are those
// of the layers: Ruby looks for gems by the version of its interface only. Python's are not among them: its client looks itself.
func LayerVars(runtime, opt string, files fs.FS) map[string]string {
	vars := map[string][]string{"PATH": {"bin"}, "LD_LIBRARY_PATH": {"lib"}}
	family, _, err := Parse(runtime)
	switch {
	case err != nil:
	case family == Node:
		version, _, _ := strings.Cut(strings.TrimPrefix(runtime, string(Node)), ".")
		vars["NODE_PATH"] = []string{"nodejs/node" + version + "/node_modules", "nodejs/node_modules"}
		if version == "" {
			vars["NODE_PATH"] = vars["NODE_PATH"][1:]
		}
	case family == Ruby:
		gems, _ := fs.Glob(files, "ruby/gems/*.*.*") // the pattern is a good one
		vars["RUBYLIB"], vars["GEM_PATH"] = []string{"ruby/lib"}, slices.Sorted(slices.Values(gems))
	}
	lists := map[string]string{}
	for name, dirs := range vars {
		for i, dir := range dirs {
			dirs[i] = path.Join(opt, dir)
		}
		if len(dirs) > 0 {
			lists[name] = strings.Join(dirs, ":")
		}
	}
	return lists
}
