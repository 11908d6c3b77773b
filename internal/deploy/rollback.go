package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aloft-run/aloft"
)

// Rollback releases an earlier release again, whole; see [aloft.Deployer].
func (d *Deployer) Rollback(ctx context.Context, input aloft.RollbackInput, report aloft.Reporter) (aloft.Deployment, error) {
	began := time.Now()
	if err := d.checkCanary(input.Canary); err != nil {
		return aloft.Deployment{}, err
	}
	ctx, unlock, err := d.lockStage(ctx, input.Stage, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	defer unlock()
	state, err := d.load(ctx, input.Stage)
	if err != nil {
		return aloft.Deployment{}, err
	}
	target, err := d.target(ctx, state, input.Version)
	if err != nil {
		return aloft.Deployment{}, err
	}
	next := target.Clone()
	next.Kind, next.Status, next.Reason = aloft.RollbackRelease, aloft.Pending, ""
	next.Author = input.Author
	d.settle(&next, state.stage)
	next.Description = input.Description
	if next.Description == "" {
		next.Description = fmt.Sprintf("rollback to v%d", target.Version)
	}
	deployment, err := d.release(ctx, state, next, hooks{canary: input.Canary}, report)
	deployment.Elapsed = time.Since(began)
	return deployment, err
}

// target is the release a rollback returns to: the given version, or with 0 the newest good one with code before the current.
func (d *Deployer) target(ctx context.Context, state state, version int) (aloft.Release, error) {
	ref := state.stage.StageRef
	if state.stage.Current == 0 {
		return aloft.Release{}, aloft.Errorf(aloft.NotFound, "%s has no release to roll back to", ref).
			WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	target, err := d.find(ctx, state, version)
	if err != nil {
		return aloft.Release{}, err
	}
	switch {
	case target.Version == state.stage.Current:
		return aloft.Release{}, aloft.Errorf(aloft.Invalid, "v%d is the current release already", target.Version).
			WithHint("see the others: aloft releases %s", ref.Stage)
	case target.Status != aloft.Succeeded:
		return aloft.Release{}, aloft.Errorf(aloft.Invalid, "v%d never served: %s", target.Version, target.Reason).
			WithHint("choose a release that did: aloft releases %s", ref.Stage)
	case target.Artifact.Digest == "":
		return aloft.Release{}, aloft.Errorf(aloft.Invalid, "v%d holds config only, it was made before the first deploy", target.Version).
			WithHint("choose a release with code: aloft releases %s", ref.Stage)
	}
	switch has, err := d.has(ctx, target.Artifact.Digest); {
	case err != nil:
		return aloft.Release{}, err
	case !has:
		return aloft.Release{}, aloft.Errorf(aloft.Internal, "the artifact %s of v%d is missing", target.Artifact.Short(), target.Version).
			WithHint("restore it from a backup, or deploy again")
	}
	return target, nil
}

func (d *Deployer) find(ctx context.Context, state state, version int) (aloft.Release, error) {
	ref := state.stage.StageRef
	if version != 0 {
		target, err := d.Apps.Release(ctx, ref, version)
		if aloft.ErrorCode(err) == aloft.NotFound {
			return target, aloft.Errorf(aloft.NotFound, "%s has no release v%d; the newest is v%d", ref, version, state.latest).
				WithHint("see them: aloft releases %s", ref.Stage)
		}
		return target, err
	}
	const few = 4 // it is among the newest nearly always, and each release is a request to some stores
	for _, limit := range []int{few, 0} {
		releases, err := d.Apps.Releases(ctx, ref, limit)
		if err != nil {
			return aloft.Release{}, err
		}
		for _, r := range releases {
			if r.Version < state.stage.Current && r.Status == aloft.Succeeded && r.Artifact.Digest != "" {
				return r, nil
			}
		}
	}
	return aloft.Release{}, aloft.Errorf(aloft.NotFound, "%s has no release before v%d", ref, state.stage.Current).
		WithHint("see them: aloft releases %s", ref.Stage)
}
