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
	if err != nil || family == lambdaruntime.Provided {
		return err
	}
	command, get := lambdaruntime.Command(family, d.platform.Runtimes)
	if !d.installed(command[0], *spec) {
		return aloft.Errorf(aloft.Failed, "%s needs %s for its runtime %s, and this machine has none", f.Name, command[0], f.Runtime).WithHint("%s", get)
	}
	if family == lambdaruntime.Java {
		command = lambdaruntime.JavaCommand(os.DirFS(d.tree), spec.Dir, f.Handler, f.Memory)
	}
	spec.Command = command
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
			if inside, ok := strings.CutPrefix(dir, spec.Dir); ok && inside != dir { // as the sandbox sees it
				dir = filepath.Join(d.tree, inside)
			}
			if info, err := os.Stat(filepath.Join(dir, program)); err == nil && !info.IsDir() {
				return true
			}
		}
	}
	return false
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
