package local

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
)

// dataDir is what a stage keeps from release to release, "" if there is no such thing.
func (p *Platform) dataDir(ref aloft.StageRef) string {
	if p.Data == "" {
		return ""
	}
	return filepath.Join(p.Data, ref.App, ref.Stage)
}

func (p *Platform) instancesDir(ref aloft.StageRef) string {
	return filepath.Join(p.Dir, "instances", ref.App, ref.Stage)
}

// private makes the directory that holds HOME and TMPDIR of an instance.
func (p *Platform) private(ref aloft.StageRef, id string) (string, error) {
	if data := p.dataDir(ref); data != "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return "", fmt.Errorf("make the directory of what %s keeps: %w", ref, err)
		}
	}
	dir := filepath.Join(p.instancesDir(ref), id)
	for _, sub := range []string{"home", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return "", fmt.Errorf("make the private directory of %s: %w", id, err)
		}
	}
	return dir, nil
}

var treeVariable = regexp.MustCompile(`\$APP\b|\$\{APP\}`)

var pathVariable = regexp.MustCompile(`\$PATH\b|\$\{PATH\}`)

// env is the whole environment of an instance, or of a one-off command if port is 0 and it is no worker's. What comes later
// wins: the machine's, aloft's, the function's, the config; nobody may move PORT and HOST.
func (d *deployment) env(f aloft.Function, layout engine.Layout, port int) []string {
	vars := map[string]string{}
	for _, kv := range d.platform.BaseEnv {
		key, value, _ := strings.Cut(kv, "=")
		vars[key] = value
	}
	vars["ALOFT_APP"], vars["ALOFT_STAGE"] = d.release.App, d.release.Stage
	vars["ALOFT_RELEASE"] = strconv.Itoa(d.release.Version)
	vars["HOME"], vars["TMPDIR"] = layout.Home, layout.Temp
	if dir := d.platform.dataDir(d.release.StageRef); dir != "" {
		vars["ALOFT_DATA"] = dir
	}
	maps.Copy(vars, d.access.vars())
	if f.Kind == aloft.Handler {
		maps.Copy(vars, d.handlerVars(f, layout.Tree))
		d.addLayers(vars, f, layout)
		port = 0 // it listens on none
	}
	path := vars["PATH"]
	for key, value := range f.Env {
		value = treeVariable.ReplaceAllLiteralString(value, layout.Tree)
		vars[key] = pathVariable.ReplaceAllLiteralString(value, path)
	}
	maps.Copy(vars, d.config.For(f.Name))
	if port != 0 {
		vars["PORT"], vars["HOST"] = strconv.Itoa(port), "127.0.0.1"
	}
	env := make([]string, 0, len(vars))
	for _, key := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, key+"="+vars[key])
	}
	return env
}
