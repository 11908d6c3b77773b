// Package buildpack is the contract of what turns source of one kind into a runnable tree. A buildpack only looks and
// plans: Detect reads the source and returns a Plan as data; one runner (package deploy) carries plans out, so that where
// and how builds run is decided in one place. Kinds live below it: node, python, golang …
package buildpack

import (
	"io/fs"
)

// Buildpack knows one kind of source. Every buildpack passes buildpacktest.Run.
type Buildpack interface {
	// Name is the buildpack's name, such as "node".
	Name() string
	// LooksFor names what Detect looks for, for the message when nothing is found: "package.json with a start script, …".
	LooksFor() string
	// Detect returns a Plan and true if the source is of this kind. An error means that the source is of this kind but
	// cannot be built as it is; it is an *aloft.Error with a hint. Detect runs nothing and reads src only.
	Detect(src fs.FS) (Plan, bool, error)
}

// Plan says how to build a source and what to run. It is data: everything that decides what a build makes is in it.
type Plan struct {
	Why     string            // what was found, in a few words: "package.json has a start script"
	Steps   []Step            // run in order in a private copy of the source; none means the source is shipped as it is
	Start   string            // shell command line of the web function, run in the shipped tree; "" if Static, Resolve or Missing is set
	Static  *Static           // the app is a directory of files instead
	Workers map[string]string // further process types of a Procfile: name to shell command line

	// Entry is set by buildpacks that only know what to run (procfile, server): the plan of the next buildpack that
	// matches builds the dependencies, and this Start, if it is not "", and these Workers replace its own.
	Entry bool
	// Missing says why there is nothing to start, though the source can be built. It counts only if neither an Entry nor
	// the user names a command. It is an *aloft.Error with a hint.
	Missing error `json:"-"`

	Path []string          // directories of the tree that come first on the PATH of everything that runs in it
	Env  map[string]string // for the running app; "$APP" in a value stands for the shipped tree
	Keep []string          // path patterns (of .gitignore form) shipped though ignore files name them: "node_modules/"
	Drop []string          // path patterns not shipped, Keep or not: build inputs and caches, "/target/", "*.o"
	Ship []string          // if not empty, only what these patterns name is shipped

	// Cross is what the environment of steps that build the app must have besides, for code of another of Lambda's
	// architectures than this machine's, by its name. Nil: the build makes what its machine runs.
	Cross map[string]map[string]string `json:"-"`

	// Resolve, if not nil, looks at the built tree and returns Start, when it is known only then (a jar's name).
	Resolve func(built fs.FS) (start string, err error) `json:"-"`
}

// Static is a directory of files to serve.
type Static struct {
	Root string // directory relative to the tree, "" is the tree itself
}

// Step is one command of a build. Its environment is what [Environ] lets through, and Env. A tool's downloads and caches
// go below "$CACHE" wherever the tool keeps them apart from its configuration. HOME stays the user's, because the
// configuration there names registries and their credentials.
type Step struct {
	Name    string            // a word or two for progress: "npm ci"
	Command []string          // argument vector; the first is looked up in PATH. "$CACHE" and "$APP" as in Env
	Dir     string            // relative to the source, "" is the source itself
	Env     map[string]string // added to the build's environment; "$CACHE" stands for the app's cache directory and "$APP" for the build directory
	Build   bool              // builds the app itself, not its dependencies: a build command of the user takes its place
	Needs   string            // how to get the tool if it is missing: "install Node.js from your package manager (apt-get install nodejs npm)"
}
