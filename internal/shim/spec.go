package shim

import "github.com/aloft-run/aloft"

// The variables by which a function's stack tells the shim what to do.
const (
	SpecVariable   = "ALOFT_FUNCTION"      // a Spec, as JSON
	SecretVariable = "ALOFT_CONFIG_SECRET" //nolint:gosec // the name of a variable; its value is the ARN or name of a Secrets Manager secret, a JSON object of variables by function, or of those of this one: more environment
	LabelVariable  = "ALOFT_CONFIG_LABEL"  // the staging label of the secret's version; "" means AWSCURRENT
)

// Spec is what the shim runs and how. The zero value runs nothing: then the shim only gives the environment to the runtime that
// it was started in front of.
type Spec struct {
	Name    string   `json:"name,omitempty"`    // of the function
	Command []string `json:"command,omitempty"` // the web server's argument vector, run in the task root; nil: none
	Static  []Static `json:"static,omitempty"`  // directories of files, asked before the server, the longest prefix first

	// Become is the argument vector of a program that speaks the Runtime API itself and that Lambda does not find: the shim gives
	// it the environment and becomes it.
	Become []string `json:"become,omitempty"`

	// Env is the function's own environment, in whose values $APP is the task root and $PATH the PATH from before. It wins over
	// Lambda's variables and loses against the secret's, so that what the config sets is to be left out of it.
	Env map[string]string `json:"env,omitempty"`

	// EventPath is where events other than requests are POSTed to, with the source's name below it; requests for it are answered
	// with 404. "" is "/events" without the 404, for functions without sources.
	EventPath string `json:"eventPath,omitempty"`

	// Sources are the names of sources by what events say of where they come from: the ARN of a queue, topic, stream, rule or
	// schedule, or its name there; the name of a bucket. What is not in it is named as AWS does.
	Sources map[string]string `json:"sources,omitempty"`

	HealthPath  string         `json:"healthPath,omitempty"`  // GET must answer 2xx or 3xx before traffic; "" accepts a connection
	BootTimeout aloft.Duration `json:"bootTimeout,omitempty"` // until the server is ready; 0 means a minute
	Host        string         `json:"host,omitempty"`        // the Host of events; "" means "localhost"
	BasePath    string         `json:"basePath,omitempty"`    // taken off the beginning of paths, such as a REST API's "/prod"

	// Stream has the shim stream responses to function URLs and REST APIs, whose invoke mode must be RESPONSE_STREAM.
	Stream     bool `json:"stream,omitempty"`
	RequestLog bool `json:"requestLog,omitempty"` // a line of JSON on standard output for each request and event
}

// Static is a directory of files.
type Static struct {
	Prefix string `json:"prefix,omitempty"` // the URL path it is served under; "" is "/"
	Root   string `json:"root,omitempty"`   // relative to the task root; "" is the task root
}

// work reports whether the shim has something to do itself.
func (s Spec) work() bool { return len(s.Command) > 0 || len(s.Static) > 0 }
