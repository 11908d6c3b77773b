package aloft

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Artifact is the built app: a deterministic zip named by its SHA-256. The zero value is "no artifact".
type Artifact struct {
	Digest string `json:"digest"` // lower-case hex
	Size   int64  `json:"size"`   // bytes of the zip
	Files  int    `json:"files"`
}

// Short returns the first 12 digits of the digest, for people.
func (a Artifact) Short() string { return a.Digest[:min(12, len(a.Digest))] }

// Config is a stage's variables in clear. It exists in memory only and prints its names, never its values. A variable of one
// function has the name FUNCTION/NAME; see VariableOf.
type Config map[string]string

// VariableOf is the name in a Config of a variable that one function has.
func VariableOf(function, name string) string { return function + "/" + name }

// For returns the variables of a function: those of all, and over them its own. With "" it is those of all.
func (c Config) For(function string) Config {
	variables := Config{}
	for name, value := range c {
		if !strings.Contains(name, "/") {
			variables[name] = value
		}
	}
	for name, value := range c {
		if own, name, is := strings.Cut(name, "/"); is && own == function {
			variables[name] = value
		}
	}
	return variables
}

// String lists the names.
func (c Config) String() string {
	return "config(" + strings.Join(slices.Sorted(maps.Keys(c)), " ") + ")"
}

// GoString keeps values out of %#v.
func (c Config) GoString() string { return c.String() }

// SealedConfig is a Config at rest: each value encrypted and bound to the stage, to the release that set it (Version) and to
// its name, so that none can be moved.
type SealedConfig struct {
	Version int               `json:"version"` // the release that sealed it; a rollback carries it over unchanged
	Values  map[string][]byte `json:"values,omitempty"`
}

// ReleaseKind says what made a release.
type ReleaseKind string

// The kinds of releases.
const (
	DeployRelease   ReleaseKind = "deploy"
	ConfigRelease   ReleaseKind = "config"
	TuneRelease     ReleaseKind = "tune"
	RollbackRelease ReleaseKind = "rollback"
	PromoteRelease  ReleaseKind = "promote"
)

// ReleaseStatus is where a release is in its life. It leaves Pending once, for good.
type ReleaseStatus string

// The statuses. Which succeeded release serves is Stage.Current.
const (
	Pending   ReleaseStatus = "pending"
	Succeeded ReleaseStatus = "succeeded"
	Broken    ReleaseStatus = "failed"
)

// Release is an immutable, numbered record of the whole state of a stage. Only Status and Reason change, once.
type Release struct {
	StageRef
	Version   int           `json:"version"` // 1, 2, 3 … per stage, never reused
	Kind      ReleaseKind   `json:"kind"`
	Status    ReleaseStatus `json:"status"`
	Reason    string        `json:"reason,omitempty"` // why it failed
	Artifact  Artifact      `json:"artifact"`         // zero for a release made by config before the first deploy
	Source    string        `json:"source,omitempty"` // digest of the source tree it was built from
	Buildpack string        `json:"buildpack,omitempty"`
	Config    SealedConfig  `json:"config"`
	Functions []Function    `json:"functions,omitempty"` // as the source has them; Tuned are those that run

	Tuning map[string]Tuning `json:"tuning,omitempty"` // what operators set, by function

	Resources []Resource `json:"resources,omitempty"` // by name

	Platform PlatformName `json:"platform,omitempty"` // where it runs; "" means OnLocal
	AWS      *AWS         `json:"aws,omitempty"`      // on AWS only

	Author      string    `json:"author,omitempty"`
	Commit      string    `json:"commit,omitempty"` // git commit of the source, if it is a clean checkout
	Description string    `json:"description,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
}

// Clone returns a copy that shares no memory with r.
func (r Release) Clone() Release {
	values := make(map[string][]byte, len(r.Config.Values))
	for k, v := range r.Config.Values {
		values[k] = slices.Clone(v)
	}
	if r.Config.Values != nil {
		r.Config.Values = values
	}
	if r.Functions != nil {
		functions := make([]Function, len(r.Functions))
		for i, f := range r.Functions {
			functions[i] = f.Clone()
		}
		r.Functions = functions
	}
	r.Tuning = cloneTuning(r.Tuning)
	r.AWS = r.AWS.Clone()
	if r.Resources != nil {
		resources := make([]Resource, len(r.Resources))
		for i, one := range r.Resources {
			resources[i] = one.Clone()
		}
		r.Resources = resources
	}
	return r
}

// Digests are those of the artifacts that a release names.
func (r Release) Digests() []string {
	digests := []string{r.Artifact.Digest}
	for _, f := range r.Functions {
		digests = append(digests, f.Opt)
	}
	return slices.DeleteFunc(digests, func(digest string) bool { return digest == "" })
}

// ReleaseStore keeps releases. Versions count per stage from 1 and are never reused.
type ReleaseStore interface {
	// CreateRelease appends a release as Pending, gives it the next version, and returns it once it is durable. It returns
	// NotFound if the stage does not exist.
	CreateRelease(ctx context.Context, release Release) (Release, error)
	// FinishRelease moves a pending release to Succeeded and makes it the stage's current one and the stage not Stopped,
	// in one transaction; or, if reason is not "", to Broken with that reason. It returns Conflict if it is not pending.
	FinishRelease(ctx context.Context, ref StageRef, version int, reason string) error
	// Release returns NotFound if there is no such release.
	Release(ctx context.Context, ref StageRef, version int) (Release, error)
	// Releases lists a stage's releases, newest first, at most limit (0: all). It returns NotFound if there is no stage.
	Releases(ctx context.Context, ref StageRef, limit int) ([]Release, error)
	// Digests returns the digests of all artifacts that some release of any stage names, itself or in a function.
	Digests(ctx context.Context) (map[string]bool, error)
}
