package shim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxEvent is how long an event or a buffered reply may be, in bytes: what the Runtime API takes.
const maxEvent = 6<<20 + 100

// settings are what the environment says, and what of the config is for the shim.
type settings struct {
	Spec

	api         string   // host and port of the Runtime API
	root        string   // the task root
	env         []string // Lambda's, without what is for the shim
	config      map[string]string
	secret      string // "" if the config is in the environment
	label       string
	concurrency int  // invocations at once
	ahead       bool // the environment is made ahead of requests: provisioned concurrency, SnapStart, Managed Instances

	// What Lambda Web Adapter's variables say.
	port          int // that the server is known to listen on; 0: chosen
	readyPort     int // that is asked whether the server is ready; 0: the same
	healthy       [][2]int
	passThrough   string // path that events are posted to as it is; "" is below EventPath
	errorStatuses [][2]int
	authorization string // header that has the Authorization of requests
}

// parse reads the environment, without what may be in the config.
func parse(environ []string) (*settings, error) {
	get := func(name string) string { return lookup(environ, name) }
	s := &settings{
		api: get("AWS_LAMBDA_RUNTIME_API"), root: get("LAMBDA_TASK_ROOT"), secret: get(SecretVariable), label: get(LabelVariable),
		concurrency: 1, healthy: [][2]int{{200, 399}},
	}
	if text := get(SpecVariable); text != "" {
		if err := json.Unmarshal([]byte(text), &s.Spec); err != nil {
			return nil, fmt.Errorf("%s: %w", SpecVariable, err)
		}
	}
	if s.root == "" {
		s.root = "/var/task"
	}
	if n, err := strconv.Atoi(get("AWS_LAMBDA_MAX_CONCURRENCY")); err == nil && n > 1 {
		s.concurrency = n
	}
	how := get("AWS_LAMBDA_INITIALIZATION_TYPE")
	s.ahead = how != "" && how != "on-demand"
	s.env = slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return own(name)
	})
	return s, nil
}

// own reports whether a variable is for the shim and not for the server, which is no runtime and must not take invocations.
func own(name string) bool {
	switch name {
	case SpecVariable, SecretVariable, LabelVariable, "AWS_LAMBDA_EXEC_WRAPPER", "AWS_LAMBDA_RUNTIME_API":
		return true
	}
	return false
}

// childEnv is the server's environment: Lambda's, the function's, the config, PORT.
func (s *settings) childEnv(port int) []string {
	vars := s.merged()
	for name, value := range map[string]string{"HOME": "/tmp", "TMPDIR": "/tmp"} { // the only place that can be written to
		if vars[name] == "" {
			vars[name] = value
		}
	}
	vars["PORT"], vars["HOST"] = strconv.Itoa(port), "127.0.0.1"
	return list(vars)
}

// merged is the environment without what concerns a server only.
func (s *settings) merged() map[string]string {
	vars := map[string]string{}
	for _, kv := range s.env {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	path := vars["PATH"]
	for name, value := range s.Env {
		vars[name] = replaceVariable(replaceVariable(value, "APP", s.root), "PATH", path)
	}
	maps.Copy(vars, s.config)
	return vars
}

// replaceVariable replaces $NAME and ${NAME}.
func replaceVariable(text, name, value string) string {
	text = strings.ReplaceAll(text, "${"+name+"}", value)
	parts := strings.Split(text, "$"+name)
	for i, part := range parts[1:] {
		if part != "" && isWord(part[0]) { // the beginning of a longer name
			parts[i+1] = "$" + name + part
		} else {
			parts[i+1] = value + part
		}
	}
	return strings.Join(parts, "")
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func list(vars map[string]string) []string {
	all := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		all = append(all, name+"="+vars[name])
	}
	return all
}

// lookup returns a variable of an environment, "" if it has none.
func lookup(environ []string, name string) string {
	for _, kv := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
