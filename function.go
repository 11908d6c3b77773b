package aloft

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// FunctionKind says how a function takes requests.
type FunctionKind string

// The kinds of functions.
const (
	Web    FunctionKind = "web"    // an HTTP server, unmodified
	Static FunctionKind = "static" // a directory of files
	Worker FunctionKind = "worker" // a process without requests

	// Handler is a Lambda handler: a runtime asks for events and calls it with each.
	Handler FunctionKind = "handler"
)

// HandlerMax is how many instances a handler has at most if nothing is said.
const HandlerMax = 10

// Function is one entry point of an app.
type Function struct {
	Name    string            `json:"name"`
	Kind    FunctionKind      `json:"kind"`
	Command []string          `json:"command,omitempty"` // argument vector, run in the artifact's tree
	Env     map[string]string `json:"env,omitempty"`     // from the source (aloft.yml, up.json); config overrides it
	Handler string            `json:"handler,omitempty"` // handler: what the runtime calls, such as "app.handler"
	Runtime string            `json:"runtime,omitempty"` // the name of a Lambda runtime, such as "python3.13"; of others than handlers it counts on AWS only, and "" is by the command
	Format  string            `json:"format,omitempty"`  // handler: of the events that requests become; "" means "apigw-v2"
	Routes  []string          `json:"routes,omitempty"`  // handler: patterns of requests for it, such as "POST /items/{id}"; see Patterns

	EventSources []string `json:"eventSources,omitempty"` // web, handler: what invokes it besides requests, as URIs such as "queue:jobs?batch=5"
	EventPath    string   `json:"eventPath,omitempty"`    // web: events are POSTs to this path and the source's name below it; "" means "/events"

	Async      *Async            `json:"async,omitempty"`      // handler: what becomes of events that nobody waits for; nil means the defaults of Async
	URL        *FunctionURL      `json:"url,omitempty"`        // handler: an address of its own; nil: none, unless Lambda's API gave it one
	LambdaName string            `json:"lambdaName,omitempty"` // handler: the name that Lambda's API gave it; "" for others. See StageRef.NameOf
	Attributes map[string]string `json:"attributes,omitempty"` // handler: what Lambda's clients keep with it and nothing here acts on, as JSON

	Uses   []string `json:"uses,omitempty"`   // resources that it may use, and how: "uploads:read", "db"; empty with no Lambda.Role means none
	Lambda *Lambda  `json:"lambda,omitempty"` // what only Lambda knows of it

	Opt string `json:"opt,omitempty"` // handler: the digest of an artifact that instances see at /opt, its layers; "" for none

	Root   string `json:"root,omitempty"`   // static: the directory served, relative to the tree; "" is the tree
	Prefix string `json:"prefix,omitempty"` // static: the URL path it is served under, "/" if empty

	HealthPath   string   `json:"healthPath,omitempty"`   // web: GET must answer 2xx or 3xx before traffic; "" accepts a connection
	BootTimeout  Duration `json:"bootTimeout,omitempty"`  // until ready; 0 means 60 s
	DrainTimeout Duration `json:"drainTimeout,omitempty"` // old instances finish requests for this long; 0 means 30 s
	Timeout      Duration `json:"timeout,omitempty"`      // of a request until its response headers; 0 means none
	Memory       int      `json:"memory,omitempty"`       // MB an instance may use; 0 means no bound. Engines that cannot bound it say so
	CPU          float64  `json:"cpu,omitempty"`          // processors an instance may use; 0 means as its memory's share, none without

	Network []string `json:"network,omitempty"` // private address ranges that it may connect to, such as 10.0.0.0/8

	Isolation int `json:"isolation,omitempty"` // level of isolation below which it is not run; 0 means any

	Instances   int      `json:"instances,omitempty"`   // how many run at least, unless they are idle; 0 means 1
	Max         int      `json:"max,omitempty"`         // how many run at most; 0 means Instances
	Target      int      `json:"target,omitempty"`      // requests at once per instance beyond which another is started; 0 means Concurrency
	Concurrency int      `json:"concurrency,omitempty"` // requests at once per instance; more wait. 0 means no bound
	Queue       int      `json:"queue,omitempty"`       // requests that may wait; 0 means 1000
	Idle        Duration `json:"idle,omitempty"`        // all instances end after this long without a request and start with the next; 0 means never
}

// Patterns are those of net/http's ServeMux that requests for a handler function match: its routes, or what is at and below
// its name; none for one that Lambda's API made, which has function URLs instead.
func (f Function) Patterns() []string {
	if len(f.Routes) > 0 || f.LambdaName != "" {
		return f.Routes
	}
	return []string{"/" + f.Name, "/" + f.Name + "/"}
}

// EventsAt is the URL path below which a web function gets events, which nobody else may ask for; "" if it has no sources.
func (f Function) EventsAt() string {
	switch {
	case f.Kind != Web || len(f.EventSources) == 0:
		return ""
	case f.EventPath == "":
		return "/events"
	}
	return f.EventPath
}

// Clone returns a copy that shares no memory with f.
func (f Function) Clone() Function {
	f.Command = slices.Clone(f.Command)
	f.Env = maps.Clone(f.Env)
	f.Network = slices.Clone(f.Network)
	f.Routes = slices.Clone(f.Routes)
	f.EventSources = slices.Clone(f.EventSources)
	f.Uses = slices.Clone(f.Uses)
	f.Lambda = f.Lambda.Clone()
	f.Async = f.Async.clone()
	f.Attributes = maps.Clone(f.Attributes)
	if f.URL != nil {
		u := *f.URL
		f.URL = &u
	}
	return f
}

// Duration is a time.Duration whose text is "1m30s".
type Duration time.Duration

// Or returns d, or def if d is zero.
func (d Duration) Or(def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}

// String returns the text form.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes the text form.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the text form.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("duration: %w", err)
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("duration: %w", err)
	}
	*d = Duration(v)
	return nil
}
