package deploy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// Deploy builds the source and releases it; see [aloft.Deployer].
func (d *Deployer) Deploy(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	if err := d.checkCanary(input.Canary); err != nil {
		return aloft.Deployment{}, err
	}
	project, err := d.open(input, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	ctx, unlock, err := d.lockStage(ctx, project.ref, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()

	if err := d.checkRequired(ctx, project); err != nil {
		return aloft.Deployment{}, err
	}
	build, unpin, err := d.build(ctx, &project, input.Force, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unpin()
	settled, err := d.agree(ctx, project, build, input)
	if err != nil {
		return aloft.Deployment{}, err
	}
	state, err := d.ensure(ctx, project.ref)
	if err != nil {
		return aloft.Deployment{}, err
	}
	state.agreed = settled
	next, err := d.next(state, project, build, input)
	if err == nil {
		err = d.place(ctx, &next, project, state.stage)
	}
	if err != nil {
		return aloft.Deployment{}, err
	}
	d.tellArchitecture(next, project, report)
	if !input.Force && same(state.current, next) {
		if deployment, err := d.unchanged(ctx, state, report); deployment.Unchanged {
			deployment.Build, deployment.Elapsed = build, time.Since(began)
			return deployment, err
		}
	}
	announceResources(d.resourceDiff(project.ref, state.current.Resources, next.Resources), report)
	deployment, err := d.release(ctx, state, next, project.hooks(state.current.Artifact.Digest == "").gradually(input.Canary), report)
	deployment.Build, deployment.Elapsed = build, time.Since(began)
	return deployment, err
}

// next is the release that a build of a project makes on top of a stage's state.
func (d *Deployer) next(state state, project project, build aloft.Build, input aloft.DeployInput) (aloft.Release, error) {
	sealed, err := d.generated(state, project)
	if err != nil {
		return aloft.Release{}, err
	}
	resources, err := project.settings.Declared()
	if err != nil {
		return aloft.Release{}, err
	}
	return aloft.Release{
		StageRef: project.ref, Kind: aloft.DeployRelease, Resources: resources,
		Artifact: build.Artifact, Source: build.Source, Buildpack: build.Buildpack, Functions: build.Functions,
		Config: sealed, Tuning: state.current.Clone().Tuning,
		Author: input.Author, Commit: input.Commit, Description: input.Description,
	}, nil
}

// same reports whether a release would change nothing that runs.
func same(a, b aloft.Release) bool {
	return a.Artifact.Digest == b.Artifact.Digest && reflect.DeepEqual(a.Functions, b.Functions) &&
		reflect.DeepEqual(a.Resources, b.Resources) && reflect.DeepEqual(a.Config, b.Config) && reflect.DeepEqual(a.Tuning, b.Tuning) &&
		len(awsDiff(a, b)) == 0
}

// again is start, if nothing is lost by it that nobody agreed to.
func (d *Deployer) again(ctx context.Context, state state, report aloft.Reporter) error {
	if err := d.agreeTo(ctx, state, state.current); err != nil {
		return err
	}
	return d.start(ctx, state, report)
}

// start makes new instances of the current release serve.
func (d *Deployer) start(ctx context.Context, state state, report aloft.Reporter) error {
	return d.Platform.Apply(ctx, state.current, report, func(ctx context.Context) error {
		stage := state.stage.Clone()
		stage.Stopped = false
		return d.Apps.UpdateStage(context.WithoutCancel(ctx), stage)
	})
}

// unchanged is a deploy of what a stage has already, which runs again if it was stopped. It is none, a new try of the same, if all of the
// stage has crashed.
func (d *Deployer) unchanged(ctx context.Context, s state, report aloft.Reporter) (aloft.Deployment, error) {
	status, err := d.Platform.Status(ctx, s.stage.StageRef)
	runs := func(i aloft.Instance) bool { return i.State != aloft.Crashed && i.Release == s.stage.Current }
	if err == nil && len(status.Instances) > 0 && !slices.ContainsFunc(status.Instances, runs) {
		return aloft.Deployment{}, nil
	}
	if s.stage.Stopped {
		if err := d.again(ctx, s, report); err != nil {
			return aloft.Deployment{Unchanged: true}, err
		}
	}
	if status.URL == "" {
		status.URL = d.URL(s.stage.StageRef)
	}
	if status.FunctionURLs == nil {
		status.FunctionURLs = d.functionURLs(ctx, s.current)
	}
	return aloft.Deployment{Release: s.current, URL: status.URL, FunctionURLs: status.FunctionURLs, Unchanged: true}, nil
}

// hooks are the shell lines around a switch, run with the new release's code and config, and how much of it comes first.
type hooks struct {
	before, after []string

	canary *aloft.Canary // nil: all at once
}

// release publishes a release on top of a stage's state, if the platform can have it and nothing is lost that nobody agreed to.
func (d *Deployer) release(ctx context.Context, state state, next aloft.Release, hooks hooks, report aloft.Reporter) (aloft.Deployment, error) {
	if err := d.check(ctx, state.current, next, report); err != nil {
		return aloft.Deployment{}, err
	}
	if !state.agreed {
		if err := d.agreeTo(ctx, state, next); err != nil {
			return aloft.Deployment{}, err
		}
	}
	return d.publish(ctx, next, hooks, report)
}

// publish appends next to the stage's history and makes it serve.
func (d *Deployer) publish(ctx context.Context, next aloft.Release, hooks hooks, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	report.Report(aloft.StepStarted{Step: aloft.StepRelease})
	next.CreatedAt = began.UTC()
	release, err := d.Apps.CreateRelease(ctx, next)
	if err != nil {
		return aloft.Deployment{}, err
	}
	report.Report(aloft.StepDone{
		Step: aloft.StepRelease, Text: fmt.Sprintf("v%d", release.Version), Elapsed: time.Since(began),
	})
	if err := d.apply(ctx, release, hooks, report); err != nil {
		d.fail(ctx, release, err)
		return aloft.Deployment{Release: release}, err
	}
	release.Status = aloft.Succeeded
	isolation, level := d.isolation()
	for _, line := range hooks.after {
		if err := d.hook(ctx, release, "postdeploy", line, report); err != nil {
			report.Report(aloft.Warning{Text: fmt.Sprintf("v%d serves, but %v", release.Version, err)})
		}
	}
	return aloft.Deployment{
		Release: release, URL: d.URL(release.StageRef), FunctionURLs: d.functionURLs(ctx, release), Elapsed: time.Since(began),
		Isolation: isolation, Level: level,
	}, nil
}

func (d *Deployer) apply(ctx context.Context, release aloft.Release, hooks hooks, report aloft.Reporter) error {
	for _, line := range hooks.before {
		if err := d.hook(ctx, release, "predeploy", line, report); err != nil {
			return err
		}
	}
	commit := func(ctx context.Context) error {
		if ctx.Err() != nil {
			return canceled(ctx)
		}
		// From here on the outcome must be known: a commit that is cut off halfway is neither.
		return d.Apps.FinishRelease(context.WithoutCancel(ctx), release.StageRef, release.Version, "")
	}
	if platform, is := d.Platform.(gradual); is && hooks.canary != nil {
		return platform.ApplyGradually(ctx, release, *hooks.canary, report, commit)
	}
	return d.Platform.Apply(ctx, release, report, commit)
}

// fail records why a release failed. If that cannot be written, or nobody knows whether it serves, the release stays pending until
// the stage is locked next.
func (d *Deployer) fail(ctx context.Context, release aloft.Release, cause error) {
	if _, outlives := d.Platform.(settler); outlives && (ctx.Err() != nil || slices.Contains([]aloft.Code{aloft.Canceled, aloft.Unavailable}, aloft.ErrorCode(cause))) {
		return
	}
	reason := cause.Error()
	if ctx.Err() != nil {
		reason = "interrupted"
	}
	err := d.Apps.FinishRelease(context.WithoutCancel(ctx), release.StageRef, release.Version, reason)
	if err != nil {
		d.Logger.Warn("record a failed release", "release", release.Version, "stage", release.StageRef.String(), "error", err)
	}
}
