package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/engine"
)

// runClean runs the clean hook, when all is packaged. It runs after a failed build too, and its own failure only warns.
func (d *Deployer) runClean(ctx context.Context, job *job, app string, report aloft.Reporter) {
	steps := shellSteps("clean", job.project.settings.Hooks.Clean)
	if ctx.Err() != nil || len(steps) == 0 {
		return
	}
	if err := d.runSteps(ctx, job, steps, app, report); err != nil {
		report.Report(aloft.Warning{Text: err.Error()})
	}
}

// runSteps runs steps in app, the private copy of the source, in order.
func (d *Deployer) runSteps(ctx context.Context, job *job, steps []buildpack.Step, app string, report aloft.Reporter) error {
	cache := d.cacheDir(job.project.ref.App)
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return fmt.Errorf("make the build cache: %w", err)
	}
	at, done, err := d.buildPlace(app, cache)
	if err != nil {
		return err
	}
	defer done()
	limited, cancel := context.WithTimeoutCause(ctx, d.BuildLimit, errBuildLimit)
	defer cancel()
	for _, step := range steps {
		if err := d.runStep(limited, step, at, report); err != nil {
			return err
		}
	}
	return nil
}

var errBuildLimit = errors.New("the build took longer than its limit")

func (d *Deployer) runStep(ctx context.Context, step buildpack.Step, at place, report aloft.Reporter) error {
	report.Report(aloft.Output{Step: aloft.StepBuild, Text: "$ " + step.Name})
	expand := strings.NewReplacer("$CACHE", at.cache, "$APP", at.tree)
	env := slices.Clone(at.env)
	for _, k := range slices.Sorted(maps.Keys(step.Env)) {
		env = append(env, k+"="+expand.Replace(step.Env[k]))
	}
	command := make([]string, len(step.Command))
	for i, arg := range step.Command {
		command[i] = expand.Replace(arg)
	}
	if !d.found(command[0], env, filepath.Join(at.app, step.Dir)) {
		return aloft.Errorf(aloft.Failed, "%s needs %s, which is not on this machine", step.Name, command[0]).
			WithHint("%s", step.Needs)
	}
	out := newPrinted(aloft.StepBuild, report)
	exit, err := d.execute(ctx, engine.Spec{
		ID: "build", Command: command, Dir: filepath.Join(at.tree, step.Dir), Env: env, Stdout: out, Stderr: out,
		Tree: at.app, Private: filepath.Dir(at.app), Shared: []string{at.cache}, Keep: true,
	})
	out.Flush()
	if err != nil {
		return err
	}
	if exit.Status == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return stopped(ctx, step.Name, out)
	}
	return aloft.Errorf(aloft.Failed, "the build failed: %s ended with %s", step.Name, ending(exit)).
		WithHint("mend it and run the same command again; nothing was released").WithDetail(out.tail.String())
}

// execute runs a command to its end. When ctx ends, the command and all its descendants are stopped.
func (d *Deployer) execute(ctx context.Context, spec engine.Spec) (engine.Exit, error) {
	sandbox, err := d.Engine.Start(ctx, spec)
	if err != nil {
		return engine.Exit{}, err
	}
	select {
	case <-sandbox.Done():
	case <-ctx.Done():
		_ = sandbox.Signal(syscall.SIGTERM)
		select {
		case <-sandbox.Done():
		case <-time.After(stopGrace):
			_ = sandbox.Signal(syscall.SIGKILL)
			<-sandbox.Done()
		}
	}
	return sandbox.Exit(), nil
}

// stopGrace is how long an interrupted build may take to end by itself.
const stopGrace = 2 * time.Second

func stopped(ctx context.Context, step string, out *printed) error {
	if errors.Is(context.Cause(ctx), errBuildLimit) {
		return aloft.Errorf(aloft.Failed, "the build was stopped in %s: %w", step, errBuildLimit).WithDetail(out.tail.String())
	}
	return canceled(ctx)
}

func ending(exit engine.Exit) string {
	if exit.Signal != 0 {
		return fmt.Sprintf("signal %d (%s)", int(exit.Signal), exit.Signal)
	}
	return fmt.Sprintf("exit status %d", exit.Status)
}

// found reports whether a program exists: a path relative to dir, or a name on env's PATH.
func (d *Deployer) found(program string, env []string, dir string) bool {
	if strings.Contains(program, "/") {
		if !filepath.IsAbs(program) {
			program = filepath.Join(dir, program)
		}
		_, err := os.Stat(program)
		return err == nil
	}
	for _, p := range filepath.SplitList(variable(env, "PATH")) {
		info, err := os.Stat(filepath.Join(p, program))
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}
