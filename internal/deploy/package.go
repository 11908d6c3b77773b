package deploy

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/source"
)

// packaged is what the releases of such functions say that they were built by.
const packaged = "package"

// Package releases a handler function whose code needs no build, or changes what is set of one. Changing nothing makes no release.
func (d *Deployer) Package(ctx context.Context, input aloft.PackageInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	if err := checkConfig(aloft.ConfigInput{Stage: input.Stage, Set: input.Config}); err != nil {
		return aloft.Deployment{}, err
	}
	if err := runnable(&input.Function); err != nil {
		return aloft.Deployment{}, err
	}
	ctx, unlock, err := d.lockStage(ctx, input.Stage, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	if _, err := d.Apps.App(ctx, input.Stage.App); input.Create && aloft.ErrorCode(err) != aloft.NotFound {
		return aloft.Deployment{}, aloft.Errorf(aloft.Conflict, "there is an app %q", input.Stage.App)
	}
	code, unpin, err := d.ship(ctx, input, input.Dir)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unpin()
	opt, unpin, err := d.ship(ctx, input, input.Opt)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unpin()
	if input.Opt != "" {
		input.Function.Opt = opt.Artifact.Digest
	}
	state, err := d.packageState(ctx, input)
	if err != nil {
		return aloft.Deployment{}, err
	}
	next, err := d.nextPackage(state, input, code)
	if err != nil {
		return aloft.Deployment{}, err
	}
	return d.changed(ctx, state, next, began, report)
}

// runnable fills in what a runtime decides, and refuses a runtime that is none.
func runnable(f *aloft.Function) error {
	family, _, err := lambdaruntime.Parse(f.Runtime)
	if err != nil {
		return err
	}
	f.Command = nil
	if family == lambdaruntime.Provided {
		f.Command = shell("./bootstrap")
	}
	if f.Max == 0 {
		f.Max = max(aloft.HandlerMax, f.Instances)
	}
	if f.Idle == 0 {
		f.Idle = idleTime
	}
	return nil
}

// ship stores what is in a directory and pins it. Without a directory it does nothing.
func (d *Deployer) ship(ctx context.Context, input aloft.PackageInput, dir string) (build aloft.Build, unpin func(), err error) {
	if dir == "" {
		return aloft.Build{}, func() {}, nil
	}
	tree, err := source.Scan(ctx, dir, source.Options{MaxFiles: input.MaxFiles, MaxBytes: input.MaxBytes})
	if err != nil {
		return build, nil, err
	}
	defer func() { _ = tree.Close() }()
	archive, err := artifact.Pack(ctx, tree, artifact.PackOptions{Store: d.Artifacts, Reuse: d.previous(ctx, input.Stage)})
	if err != nil {
		return build, nil, err
	}
	unpin = d.pins.pin(archive.Artifact().Digest)
	stored, err := d.Put(ctx, archive)
	if err != nil {
		unpin()
		return build, nil, err
	}
	return aloft.Build{Artifact: stored, Source: tree.Digest()}, unpin, nil
}

// packageState is the state to change: with code, app and stage are made if they are missing.
func (d *Deployer) packageState(ctx context.Context, input aloft.PackageInput) (state, error) {
	if input.Dir != "" {
		return d.ensure(ctx, input.Stage)
	}
	return d.load(ctx, input.Stage)
}

func (d *Deployer) nextPackage(state state, input aloft.PackageInput, code aloft.Build) (aloft.Release, error) {
	next := state.current.Clone()
	next.StageRef, next.Kind, next.Status, next.Reason = input.Stage, aloft.DeployRelease, aloft.Pending, ""
	next.Author, next.Commit, next.Description = input.Author, "", input.Description
	if input.Dir != "" {
		next.Artifact, next.Source, next.Buildpack = code.Artifact, code.Source, packaged
	}
	f := input.Function.Clone()
	if i := slices.IndexFunc(next.Functions, func(old aloft.Function) bool { return old.Name == f.Name }); i >= 0 {
		if old := next.Functions[i]; next.Tuning[f.Name].Scale != nil { // which stays, and may be reset
			f.Instances, f.Max = old.Instances, old.Max
		}
		next.Functions[i] = f
	} else {
		next.Functions = append(next.Functions, f)
	}
	if tuned, ok := next.Tuning[f.Name]; ok && !input.Tuned {
		next.Tuning[f.Name] = tuned.Without([]aloft.TuningField{aloft.MemoryField, aloft.TimeoutField})
	}
	if input.Config == nil || maps.Equal(input.Config, state.config) {
		return next, nil
	}
	if err := checkSize(input.Config); err != nil {
		return next, err
	}
	var err error
	next.Config, err = d.Sealer.Seal(state.app, input.Stage.Stage, state.latest+1, input.Config)
	return next, err
}
