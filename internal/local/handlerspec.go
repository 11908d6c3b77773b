package local

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// handlerSpec is what an instance of a handler function starts with.
func (d *deployment) handlerSpec(f aloft.Function, spec *engine.Spec) error {
	family, _, err := lambdaruntime.Parse(f.Runtime)
	if err != nil {
		return err
	}
	layers, seen := d.layersOf(f, d.platform.Engine.Layout(d.tree, ""))
	if family == lambdaruntime.Provided {
		const bootstrap = "bootstrap" // a layer may be the runtime
		if layers != "" && !exists(filepath.Join(d.tree, bootstrap)) && exists(filepath.Join(layers, bootstrap)) {
			spec.Command = []string{filepath.Join(seen, bootstrap)}
		}
		return nil
	}
	command, get := lambdaruntime.Command(family, d.platform.Runtimes)
	if !d.installed(command[0], *spec) {
		return aloft.Errorf(aloft.Failed, "%s needs %s for its runtime %s, and this machine has none", f.Name, command[0], f.Runtime).WithHint("%s", get)
	}
	if family == lambdaruntime.Java {
		command = lambdaruntime.JavaHandler{Files: os.DirFS(d.tree), Dir: spec.Dir, Layers: seen, Handler: f.Handler, Memory: f.Memory}.Command()
	}
	spec.Command = append(wrapper(*spec, seen), command...)
	return nil
}

// wrapper is the program that is to start the runtime, most often one of a layer; nil if there is none.
func wrapper(spec engine.Spec, layers string) []string {
	for _, kv := range spec.Env {
		name, set := strings.CutPrefix(kv, "AWS_LAMBDA_EXEC_WRAPPER=")
		if inside, of := strings.CutPrefix(name, "/opt/"); of && layers != "" {
			name = filepath.Join(layers, inside)
		}
		if set && name != "" {
			return []string{name}
		}
	}
	return nil
}

// installed reports whether a program is on the PATH of what starts.
func (d *deployment) installed(program string, spec engine.Spec) bool {
	for _, kv := range spec.Env {
		list, isPath := strings.CutPrefix(kv, "PATH=")
		if !isPath {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			for _, place := range d.outside(dir, spec) {
				if info, err := os.Stat(filepath.Join(place, program)); err == nil && !info.IsDir() {
					return true
				}
			}
		}
	}
	return false
}

// outside is where a directory lies on this machine that what starts sees.
func (d *deployment) outside(dir string, spec engine.Spec) []string {
	if inside, ok := strings.CutPrefix(dir, spec.Dir); ok && inside != dir {
		return []string{filepath.Join(d.tree, inside)}
	}
	opt := d.platform.Engine.Layout(d.tree, "").Opt
	if inside, ok := strings.CutPrefix(dir, opt); ok && opt != "" && spec.Opt != "" {
		return []string{filepath.Join(spec.Opt, inside), dir}
	}
	return []string{dir}
}

// handlerVars are the variables that Lambda gives a function.
func (d *deployment) handlerVars(f aloft.Function, tree string) map[string]string {
	name := d.release.NameOf(f)
	return map[string]string{
		"_HANDLER": f.Handler, "LAMBDA_TASK_ROOT": tree, "LAMBDA_RUNTIME_DIR": d.platform.Runtimes,
		"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": strconv.Itoa(d.release.Version),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + name, "AWS_LAMBDA_LOG_STREAM_NAME": strconv.Itoa(d.release.Version),
		"AWS_EXECUTION_ENV": "AWS_Lambda_" + f.Runtime, "AWS_REGION": homeRegion, "AWS_DEFAULT_REGION": homeRegion, "TZ": ":UTC",
		"GOMAXPROCS": strconv.Itoa(processors(f)),
	}
}

// memoryPerProcessor is how many MB of memory come with a whole processor on Lambda.
const memoryPerProcessor = 1769

// processors is how many a function is meant to keep busy: those that cpu says, or else those that Lambda gives with its memory.
// Go takes two at least where nothing is said, and then its threads wake each other for every event: an instance that works on
// one at a time needs a third more processor time for that.
func processors(f aloft.Function) int {
	share := f.CPU
	if share == 0 {
		share = float64(f.Memory) / memoryPerProcessor
	}
	return max(1, int(math.Ceil(share)))
}
