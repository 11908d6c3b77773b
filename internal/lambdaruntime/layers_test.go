package lambdaruntime_test

import (
	"maps"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

func TestLayerVars(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"ruby/gems/3.4.0/specifications/a": {}, "ruby/gems/3.3.0/specifications/a": {}}
	for runtime, want := range map[string]map[string]string{
		"python3.13":      {},
		"provided.al2023": {},
		"nodejs22.x":      {"NODE_PATH": "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules"},
		"nodejs":          {"NODE_PATH": "/opt/nodejs/node_modules"},
		"ruby3.4":         {"RUBYLIB": "/opt/ruby/lib", "GEM_PATH": "/opt/ruby/gems/3.3.0:/opt/ruby/gems/3.4.0"},
	} {
		want["PATH"], want["LD_LIBRARY_PATH"] = "/opt/bin", "/opt/lib"
		if got := lambdaruntime.LayerVars(runtime, "/opt", files); !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", runtime, got, want)
		}
	}
}
