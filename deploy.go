package aloft

import (
	"context"
	"time"
)

// Deployer changes what a stage serves. Each change is a new release. Implementations: deploy.Deployer, client.Client. A change that
// would replace or delete something by what a Previewer says, and to which nobody agreed, is refused with a LossError.
type Deployer interface {
	// Deploy builds the source and releases it. If nothing differs from the current release it makes none and the
	// result's Unchanged is true, unless Force is set or all that should run has crashed. Deploys of one stage run one after another.
	// It returns Conflict if input.Plan names another plan than the one it would carry out.
	Deploy(ctx context.Context, input DeployInput, report Reporter) (Deployment, error)
	// Rollback makes a new release that equals an earlier one in everything: code, config, functions. Version 0 means
	// the newest succeeded release before the current one. It returns NotFound if there is none.
	Rollback(ctx context.Context, input RollbackInput, report Reporter) (Deployment, error)
	// Configure sets and unsets variables in one new release. Changing nothing makes no release.
	Configure(ctx context.Context, input ConfigInput, report Reporter) (Deployment, error)
	// Tune sets and resets what operators may set of functions in one new release. Changing nothing makes none. It returns
	// NotFound if nothing is deployed or there is no such function, Invalid for what a function of its kind cannot have.
	Tune(ctx context.Context, input TuneInput, report Reporter) (Deployment, error)
	// Build does the part of Deploy that comes before the release: it leaves an artifact and nothing else.
	Build(ctx context.Context, input DeployInput, report Reporter) (Build, error)
	// Plan builds and says what Deploy would change. It changes nothing but the artifact store.
	Plan(ctx context.Context, input DeployInput, report Reporter) (Plan, error)
}

// Operator looks after stages. Implementations: deploy.Deployer, client.Client.
type Operator interface {
	// Overview lists the stages of an app (of all apps if app is "") with what runs of them.
	Overview(ctx context.Context, app string) ([]Status, error)
	// Config returns the variables of the stage's current release, in clear.
	Config(ctx context.Context, ref StageRef) (Config, error)
	// SetDomains replaces the stage's domains. It returns Invalid for a bad domain, Conflict for one that is taken.
	SetDomains(ctx context.Context, ref StageRef, domains []string) (Stage, error)
	// Stop ends the stage's instances until its next release.
	Stop(ctx context.Context, ref StageRef) error
	// Restart replaces all instances by new ones of the current release, the old ones serving until these are ready, and
	// starts a stage that is stopped. It returns NotFound if nothing is deployed.
	Restart(ctx context.Context, ref StageRef, report Reporter) (Deployment, error)
	// Destroy deletes the stage, or the whole app if ref.Stage is "", and frees what only it held.
	Destroy(ctx context.Context, ref StageRef) error
}

// DeployInput is what Deploy, Build and Plan work on.
type DeployInput struct {
	Stage       StageRef `json:"stage"`                 // App "" means the manifest's name, else the directory's
	Dir         string   `json:"dir"`                   // absolute path of the source on the server's machine
	Author      string   `json:"author,omitempty"`      // who
	Commit      string   `json:"commit,omitempty"`      // git commit of a clean checkout
	Description string   `json:"description,omitempty"` // why
	Force       bool     `json:"force,omitempty"`       // build and release though nothing changed

	Platform PlatformName `json:"platform,omitempty"` // in place of what the manifest says; "" means that
	Canary   *Canary      `json:"canary,omitempty"`   // of Deploy; nil: the release gets all requests at once

	// Plan is the id of the plan that Deploy must be, all of which is then agreed to; "" means any. Build and Plan leave it alone.
	Plan string `json:"plan,omitempty"`
}

// Canary is a trial of a release: for a time it gets a share of requests and events, while the one before has the others. What
// speaks against it ends it, and the one before serves alone again.
type Canary struct {
	Share float64  `json:"share"` // above 0, below 1
	For   Duration `json:"for"`
}

// Check returns Invalid for a trial that is none. Nil is no trial.
func (c *Canary) Check() error {
	switch {
	case c == nil:
		return nil
	case !(c.Share > 0 && c.Share < 1): // NaN too
		return Errorf(Invalid, "a canary cannot get %.4g%% of the requests", 100*c.Share).WithHint("give it a share between 0%% and 100%%: --canary 10%%")
	case c.For < Duration(time.Second) || c.For > Duration(day):
		return Errorf(Invalid, "a canary cannot be watched for %v", time.Duration(c.For)).WithHint("between a second and a day: --for 5m")
	}
	return nil
}

const day = 24 * time.Hour

// RollbackInput names the release to return to.
type RollbackInput struct {
	Stage       StageRef `json:"stage"`
	Version     int      `json:"version"`
	Author      string   `json:"author,omitempty"`
	Description string   `json:"description,omitempty"`
	Canary      *Canary  `json:"canary,omitempty"` // nil: the release gets all requests at once
}

// ConfigInput is a change of variables. Clear drops all before Set.
type ConfigInput struct {
	Stage  StageRef          `json:"stage"`
	Set    map[string]string `json:"set,omitempty"`
	Unset  []string          `json:"unset,omitempty"`
	Clear  bool              `json:"clear,omitempty"`
	Author string            `json:"author,omitempty"`
}

// TuneInput is a change of what operators set of functions, by function.
type TuneInput struct {
	Stage  StageRef                 `json:"stage"`
	Set    map[string]Tuning        `json:"set,omitempty"`   // zero fields stay as they are
	Reset  map[string][]TuningField `json:"reset,omitempty"` // back to what the source says, before Set
	Author string                   `json:"author,omitempty"`
}

// AdjustInput is a change, in one release, of what operators set of one function.
type AdjustInput struct {
	Stage       StageRef
	Function    string
	Set         Tuning            // zero fields stay as they are
	Reset       []TuningField     // back to what the source says, before Set
	Variables   map[string]string // of this function only
	Unset       []string          // of its own variables
	Author      string
	Description string
}

// Deployment is the result of a Deploy, Rollback, Configure, Tune or Restart.
type Deployment struct {
	Release      Release           `json:"release"`
	URL          string            `json:"url"`
	FunctionURLs map[string]string `json:"functionUrls,omitempty"` // addresses of single functions, by name
	Isolation    string            `json:"isolation,omitempty"`    // what is kept apart, in one line
	Level        int               `json:"level,omitempty"`        // the same as a number: 4 isolated and bounded … 1 separate processes
	Build        Build             `json:"build,omitzero"`
	Unchanged    bool              `json:"unchanged,omitempty"`
	Elapsed      time.Duration     `json:"elapsed"` // nanoseconds
}

// Build is the result of building a source.
type Build struct {
	Stage     StageRef      `json:"stage"` // with the app's name as found
	Artifact  Artifact      `json:"artifact"`
	Source    string        `json:"source"` // digest of the source tree
	Buildpack string        `json:"buildpack"`
	Why       string        `json:"why"` // what was detected
	Cached    bool          `json:"cached"`
	Elapsed   time.Duration `json:"elapsed"` // nanoseconds
	Functions []Function    `json:"functions"`
	Largest   []PathSize    `json:"largest,omitempty"`  // the largest directories, largest first
	Verdicts  []Verdict     `json:"verdicts,omitempty"` // what each buildpack said, in the order they were asked
}

// Verdict is what one buildpack said of a source.
type Verdict struct {
	Buildpack string `json:"buildpack"`
	Matched   bool   `json:"matched"` // the source is of this kind
	Used      bool   `json:"used"`    // it took part in the build
	Why       string `json:"why"`
}

// PathSize is a directory and the bytes of the files below it.
type PathSize struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}
