// Package deploy tells the story of a deploy, once: detect, build, package, release, apply. Every door (CLI, git push, REST,
// webhook) comes here. It takes contracts and knows no kind of engine, buildpack or platform.
package deploy

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/eventsource"
)

// Options are the parts a Deployer works with. All are needed unless said otherwise.
type Options struct {
	Apps       aloft.AppService
	Platform   Platform
	Artifacts  *artifact.Store
	Buildpacks []buildpack.Buildpack // in order of detection
	Sources    eventsource.Set       // the kinds of event sources there are
	Engine     engine.Engine         // runs builds

	// Allowed returns Invalid for an event source that a stage may not have; nil: it may have all.
	Allowed func(ctx context.Context, ref aloft.StageRef, source string) error

	Sealer     Sealer
	Logs       Logs
	Recordings Recordings // nil if none are kept
	URL        func(aloft.StageRef) string
	Dir        string        // home of build trees, caches and indexes
	BuildEnv   []string      // environment of builds, "K=V": PATH, HOME, LANG; never an app's config
	BuildLimit time.Duration // of one build; 0 means 30 minutes
	Logger     *slog.Logger

	// FunctionURLs are the addresses of the functions of a release that is current, by name; nil: there are none.
	FunctionURLs func(ctx context.Context, release aloft.Release) map[string]string

	// Consent is to what changes replace or delete where Platform is an [aloft.Previewer]. What nobody agreed to is refused with an
	// [aloft.LossError], before anything is done.
	Consent Consent

	// AWS is what releases have on AWS where the source says nothing; nil: stages run elsewhere. Then Platform is AWS's.
	AWS *aloft.AWS
	// Fit gives functions the runtimes that an artifact is made for, by its tree, and returns Invalid for one that does not fit at
	// all; nil: they keep those that they have.
	Fit func(functions []aloft.Function, tree fs.FS) ([]aloft.Function, error)
	// Stored reports whether an artifact that is not in Artifacts is kept elsewhere, where Platform finds it; nil: nowhere.
	Stored func(ctx context.Context, digest string) (bool, error)

	// Fetch brings an artifact that is Stored into Artifacts; nil: none are stored.
	Fetch func(ctx context.Context, digest string) error

	// Dismantle frees what Platform has of a stage while its releases, which say what that is, are still there; nil: Platform.Remove
	// does after they are gone.
	Dismantle func(ctx context.Context, ref aloft.StageRef) error

	// Report is told what happens during changes whose callers give no Reporter: Stop and Destroy. Nil: nobody.
	Report aloft.Reporter

	// Shared says that other processes work with Dir and Artifacts too: nothing is freed but by Tidy.
	Shared bool
	// LockBuild waits until no other process builds an app, which shares its caches; nil: there are no others.
	LockBuild func(ctx context.Context, app string, report aloft.Reporter) (unlock func(), err error)

	// Lock makes this process the only one that changes a stage, where others share Apps. Held ends when the lock is lost. Unlock
	// works after ctx has ended. Nil: no other process changes stages.
	Lock func(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (held context.Context, unlock func(), err error)

	// Put stores an artifact; nil means Artifacts.Put. Tests of durability put a faulty one here.
	Put func(context.Context, *artifact.Archive) (aloft.Artifact, error)
}

// Platform is where the stages run, with what a deploy needs beyond the contract.
type Platform interface {
	aloft.Platform
	// RunRelease runs a one-off command with the code and config of a release that need not be the current one.
	RunRelease(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error)
	// Restore makes stages serve again after a start of the server.
	Restore(ctx context.Context, stages []aloft.Restored) error
	// AliasesChanged makes the platform look at a stage's aliases again.
	AliasesChanged(ref aloft.StageRef)
}

// Logs keeps what stages print.
type Logs interface {
	Append(ref aloft.StageRef, line aloft.LogLine)
	Delete(ref aloft.StageRef) error
}

// Recordings keeps what was recorded of stages.
type Recordings interface {
	Delete(ref aloft.StageRef) error
}

// Sealer encrypts config at rest.
type Sealer interface {
	// NewKey makes a data key for an app and returns it wrapped.
	NewKey(app string) ([]byte, error)
	Seal(app aloft.App, stage string, version int, config aloft.Config) (aloft.SealedConfig, error)
	Unseal(app aloft.App, stage string, sealed aloft.SealedConfig) (aloft.Config, error)
}

// Deployer is the aloft.Deployer and aloft.Operator of a server, and the store of aliases that tells its platform of changes.
type Deployer struct {
	Options

	stages  locks      // one change of a stage at a time
	builds  locks      // one build of an app at a time: builds share the app's caches
	pins    pins       // artifacts stored but not named by a release yet
	created sync.Mutex // makes "create app and stage if missing" one step, and "delete the app if it has no stage"
}

var (
	_ aloft.Deployer   = (*Deployer)(nil)
	_ aloft.Operator   = (*Deployer)(nil)
	_ aloft.AliasStore = (*Deployer)(nil)
)

// New returns a Deployer.
func New(options Options) *Deployer {
	if options.BuildLimit == 0 {
		options.BuildLimit = 30 * time.Minute
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if options.Report == nil {
		options.Report = aloft.Discard{}
	}
	if options.Put == nil {
		options.Put = options.Artifacts.Put
	}
	return &Deployer{Options: options}
}

// Unseal returns the config of a release in clear.
func (d *Deployer) Unseal(ctx context.Context, release aloft.Release) (aloft.Config, error) {
	app, err := d.Apps.App(ctx, release.App)
	if err != nil {
		return nil, err
	}
	return d.Sealer.Unseal(app, release.Stage, release.Config)
}

func (d *Deployer) cacheDir(app string) string { return filepath.Join(d.Dir, "cache", app) }

func (d *Deployer) buildsDir() string { return filepath.Join(d.Dir, "builds") }
