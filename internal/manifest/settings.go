package manifest

import (
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// Settings is what a project says about one of its stages.
type Settings struct {
	Name   string // of the app; "" if not said
	Build  string // shell lines that replace the detected build; "" = detected. Never set together with Hooks.Build
	Start  string // shell line that starts the web function; "" = detected. Never set together with Static.Only
	Hooks  Hooks
	Static *Static // nil if not said

	Functions map[string]FunctionSettings // by name; see Function
	Routes    map[string]string           // which handler function answers which requests: "POST /items/{id}" to its name
	Resources map[string]ResourceSettings // by name
	Uses      []string                    `json:",omitzero"` // edges of functions that say none; nil if not said. See UsesOf
	Env       map[string]string           // for build and run; a stage's config overrides it
	Required  []EnvVar                    // variables the app declares but gives no value for, by name

	Health  Health
	Drain   aloft.Duration // old instances finish requests for this long
	Timeout aloft.Duration // of a request until its response headers; 0 means none

	Isolation Isolation

	Ignore []string // patterns of .gitignore form: not shipped

	Platform string `json:",omitempty"` // aloft.OnLocal or aloft.OnAWS; "" if not said
	AWS      *AWS   `json:",omitempty"` // nil if not said
}

// Hooks are shell lines run at points of a deploy. A nil list is "not said", an empty one "nothing to run".
type Hooks struct {
	Prebuild, Build, Postbuild []string
	Predeploy, Postdeploy      []string
	Firstdeploy                []string // after the first successful deploy of a stage only: app.json scripts.postdeploy
	Clean                      []string
}

// FunctionSettings is what a project says about one function. Zero values are "not said".
type FunctionSettings struct {
	Command     string            // shell line; for a function that no Procfile names, or instead of its line
	Handler     string            // of a Lambda handler, such as "app.handler"; or instead of the Procfile's line
	Runtime     string            // of a Lambda handler, by AWS's name
	Format      string            // of the events that requests become
	Env         map[string]string `json:",omitempty"` // variables of this function, over those of all
	Events      []string          // sources of events, as canonical URIs
	EventPath   string            // where a web function gets them
	Memory      int               // MB
	CPU         float64           // processors
	Instances   int               // how many run at least
	Max         int               // how many run at most
	Off         bool              // asked for 0 instances: the function is not started
	Target      int               // requests at once per instance beyond which another is started
	Concurrency int               // requests at once per instance; more wait
	Queue       int               // requests that may wait
	Idle        aloft.Duration
	NeverIdle   bool     // idle: off
	Network     []string // private ranges that it may connect to, such as 10.0.0.0/8
	Timeout     aloft.Duration
	Drain       aloft.Duration
	Health      Health
	URL         *FunctionURL `json:",omitempty"` // nil if not said
	Uses        []string     `json:",omitzero"`  // edges to resources; nil if not said, and then those of all functions. See UsesOf
	Lambda      *Lambda      `json:",omitempty"` // nil if not said
	Async       aloft.Async  `json:",omitzero"`  // what becomes of events that nobody waits for
}

// Isolation says how well the app must be kept apart from others.
type Isolation struct {
	Minimum int // level below which it is neither built nor run; 0 means any
}

// Health says when an instance is ready.
type Health struct {
	Path    string         // GET must answer 2xx or 3xx; "" means that it accepts a connection
	Timeout aloft.Duration // until ready
}

// Static is a directory of files to serve. If it is neither the whole app nor below a prefix of its own (up.json allows
// that), a file wins over the web function, which answers everything else.
type Static struct {
	Dir    string // relative to the source; "." is the source itself
	Prefix string // URL path below which they are served, such as "/assets"; "/" is everything
	Only   bool   // the app is nothing but these files
}

// EnvVar is a variable that app.json declares without a value.
type EnvVar struct {
	Name, Description string
	Required          bool // no deploy without it
	Generate          bool // a random secret is to be made up once
}

// WebFunction is the function that takes requests; Settings.Start is its command.
const WebFunction = "web"

// Default returns the settings of a project that says nothing.
func Default() Settings {
	return Settings{
		Health: Health{Timeout: aloft.Duration(60 * time.Second)},
		Drain:  aloft.Duration(30 * time.Second),
	}
}

// Function returns the settings of a function, completed by what the stage says for all of them.
func (s Settings) Function(name string) FunctionSettings {
	f := s.Functions[name]
	general := FunctionSettings{Timeout: s.Timeout, Drain: s.Drain, Health: s.Health, Instances: 1}
	if name == WebFunction {
		general.Command = s.Start
	}
	return f.over(general)
}

// Validate returns an Invalid error unless every value is one that Load could have returned. It is for settings that do
// not come from a file; those of a file are checked with their place.
func (s Settings) Validate() error {
	if s.Name != "" {
		if err := aloft.CheckName("app", s.Name); err != nil {
			return err
		}
	}
	for name := range s.Env {
		if reason := refuseEnv(name); reason != "" {
			return aloft.Errorf(aloft.Invalid, "variable %q: %s", name, reason)
		}
	}
	for name, f := range s.Functions {
		if err := aloft.CheckName("function", name); err != nil {
			return err
		}
		for variable := range f.Env {
			if reason := refuseEnv(variable); reason != "" {
				return aloft.Errorf(aloft.Invalid, "function %s: variable %q: %s", name, variable, reason)
			}
		}
		if err := f.validate(); err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
	}
	if s.Isolation.Minimum < 0 || s.Isolation.Minimum > 4 {
		return aloft.Errorf(aloft.Invalid, "isolation.minimum is %d, not a level from 1 to 4", s.Isolation.Minimum)
	}
	if s.Build != "" && s.Hooks.Build != nil {
		return aloft.Errorf(aloft.Invalid, "build and hooks.build are both set")
	}
	general := FunctionSettings{Timeout: s.Timeout, Drain: s.Drain, Health: s.Health}
	return general.validate()
}

func (f FunctionSettings) validate() error {
	if min(f.Memory, f.Concurrency, f.Instances, f.Max, f.Target, f.Queue) < 0 || f.CPU < 0 || min(f.Idle, f.Timeout, f.Drain, f.Health.Timeout) < 0 {
		return aloft.Errorf(aloft.Invalid, "sizes, counts and durations must not be negative")
	}
	if f.Off && f.Instances > 0 {
		return aloft.Errorf(aloft.Invalid, "a function that is off has no instances")
	}
	if f.Health.Path != "" && f.Health.Path[0] != '/' {
		return aloft.Errorf(aloft.Invalid, "health path %q must start with /", f.Health.Path)
	}
	return nil
}
