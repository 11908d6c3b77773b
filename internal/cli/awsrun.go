package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/local"
	"github.com/aloft-run/aloft/internal/route"
)

// runLocal runs a command with the code and config of a release on this machine: a hook. Of the stores that it declares the
// command gets nothing.
func (b *awsBackend) runLocal(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error) {
	if err := b.bucket.Artifacts(b.store).Download(ctx, release.Artifact.Digest); err != nil {
		return 0, err
	}
	release = release.Clone()
	release.Resources = nil
	dir := filepath.Join(b.use.own, "hooks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("make a directory for the command: %w", err)
	}
	runner := local.New(local.Options{
		Engine: b.engine, Table: &route.Table{}, Artifacts: b.store, Logs: noLogs{}, Releases: b.apps, Unseal: b.Unseal, Dir: dir, Hosts: hosts,
		BaseEnv: appEnv(b.program.env), Static: staticFiles, Logger: b.logger,
	})
	status, err := runner.RunRelease(ctx, release, input)
	if closeErr := runner.Close(context.WithoutCancel(ctx)); err == nil {
		err = closeErr
	}
	return status, err
}

// lazyEngine is the strongest engine that this machine allows, opened when something is to be run: most deploys find what they
// need built.
type lazyEngine struct {
	program *program
	dir     string // of this process alone
	logger  *slog.Logger

	once   sync.Once
	engine engine.Engine
	err    error
}

func (e *lazyEngine) open() (engine.Engine, error) {
	e.once.Do(func() {
		names := homeNames{home: e.dir}
		e.engine, e.err = openEngine(context.Background(), names, e.program.env, isolation{}, e.logger)
	})
	return e.engine, e.err
}

// opened is the engine; if it does not open, what says so.
func (e *lazyEngine) opened() engine.Engine {
	opened, err := e.open()
	if err != nil {
		return closedEngine{err}
	}
	return opened
}

func (e *lazyEngine) close() {
	e.once.Do(func() {})
	if e.engine != nil {
		closeEngine(e.engine)
	}
}

// Name implements engine.Engine.
func (e *lazyEngine) Name() string { return e.opened().Name() }

// Isolation implements engine.Engine.
func (e *lazyEngine) Isolation() string { return e.opened().Isolation() }

// Level implements engine.Engine.
func (e *lazyEngine) Level() engine.Level { return e.opened().Level() }

// Layout implements engine.Engine.
func (e *lazyEngine) Layout(tree, private string) engine.Layout {
	return e.opened().Layout(tree, private)
}

// Start implements engine.Engine.
func (e *lazyEngine) Start(ctx context.Context, spec engine.Spec) (engine.Sandbox, error) {
	return e.opened().Start(ctx, spec)
}

// closedEngine starts nothing.
type closedEngine struct{ err error }

// Name implements engine.Engine.
func (closedEngine) Name() string { return "none" }

// Isolation implements engine.Engine.
func (e closedEngine) Isolation() string { return e.err.Error() }

// Level implements engine.Engine.
func (closedEngine) Level() engine.Level { return engine.Separate }

// Layout implements engine.Engine.
func (closedEngine) Layout(tree, private string) engine.Layout {
	return engine.Layout{Tree: tree, Temp: private}
}

// Start implements engine.Engine.
func (e closedEngine) Start(context.Context, engine.Spec) (engine.Sandbox, error) { return nil, e.err }
