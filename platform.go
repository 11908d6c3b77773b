package aloft

import (
	"context"
	"io"
	"os"
	"time"
)

// Platform is where stages run: this machine, or AWS.
type Platform interface {
	// Apply makes release serve. It starts it beside what runs, waits until it is ready, calls commit once, and only then
	// moves traffic to it; what ran before finishes its requests and ends in the background. If anything fails up to and
	// including commit, what ran before keeps serving and nothing of release is left. Apply of the serving release restarts it.
	Apply(ctx context.Context, release Release, report Reporter, commit func(context.Context) error) error
	// Stop ends all instances of the stage; its hosts answer that it is stopped. Stopping a stopped stage is harmless.
	Stop(ctx context.Context, ref StageRef) error
	// Remove stops the stage and frees everything the platform holds for it. Removing what is not there is harmless.
	Remove(ctx context.Context, ref StageRef) error
	// Route makes the stage's hosts (its own and stage.Domains) lead to it, if it runs.
	Route(ctx context.Context, stage Stage) error
	// Status says what runs. A stage without a release has no instances.
	Status(ctx context.Context, ref StageRef) (Status, error)
}

// Restored is a stage as it was when the server ended, with its current release.
type Restored struct {
	Stage   Stage
	Release Release
}

// Runner runs one-off commands with a release's code and config.
type Runner interface {
	// Run returns the command's exit status. It returns NotFound if the stage has no release with an artifact.
	Run(ctx context.Context, input RunInput) (int, error)
}

// RunInput is a one-off command.
type RunInput struct {
	Stage   StageRef
	Command []string
	Stdin   io.Reader // nil: empty
	Stdout  io.Writer
	Stderr  io.Writer

	// Terminal, if not nil, is what the command talks to in place of the three.
	Terminal *Terminal
}

// Terminal is a terminal. To a Runner on this machine it becomes the command's own; a client of one on another machine
// gives the command a terminal of the same kind and size and passes on what is typed and shown.
type Terminal struct {
	File *os.File
	Type string // TERM, such as "xterm-256color"
}

// InstanceState is where an instance is in its life.
type InstanceState string

// The states of an instance.
const (
	Starting InstanceState = "starting" // started, not ready yet
	Ready    InstanceState = "ready"    // takes requests
	Crashed  InstanceState = "crashed"  // ended by itself; waits to be started again
	Draining InstanceState = "draining" // finishes its requests
	Frozen   InstanceState = "frozen"   // had nothing to do; goes on with the next request
	Idle     InstanceState = "idle"     // stands for none: the next request starts one
	Stopped  InstanceState = "stopped"  // takes no requests until the stage is started again
)

// Instance is one running copy of a function at a release.
type Instance struct {
	ID        string        `json:"id"`
	Function  string        `json:"function"`
	Release   int           `json:"release"`
	Share     float64       `json:"share,omitempty"` // of the function's requests and events, while a release is tried; 0: all
	State     InstanceState `json:"state"`
	Reason    string        `json:"reason,omitempty"` // crashed: how it ended and when it starts again
	PID       int           `json:"pid,omitempty"`
	Listen    string        `json:"listen,omitempty"` // "127.0.0.1:41234" or "unix:/…/app.sock"
	InFlight  int           `json:"inFlight"`
	Restarts  int           `json:"restarts"`
	Memory    int64         `json:"memory,omitempty"`   // bytes in use; 0: not known
	CPU       Duration      `json:"cpu,omitempty"`      // processor time since its start
	StartedAt time.Time     `json:"startedAt,omitzero"` // zero: not known
}

// Status is what runs of a stage.
type Status struct {
	Stage        Stage             `json:"stage"`
	URL          string            `json:"url"`
	FunctionURLs map[string]string `json:"functionUrls,omitempty"` // addresses of single functions, by name
	Isolation    string            `json:"isolation"`              // which engine runs it and what it promises
	Level        int               `json:"level"`                  // the same as a number: 4 isolated and bounded … 1 separate processes
	Instances    []Instance        `json:"instances"`
}
