package deploy

import (
	"context"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
)

// CreateAlias stores a new alias, which counts at once; see [aloft.AliasStore]. Its function must be one of its releases.
func (d *Deployer) CreateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return d.putAlias(ctx, alias, d.Apps.CreateAlias)
}

// UpdateAlias replaces an alias; see CreateAlias.
func (d *Deployer) UpdateAlias(ctx context.Context, alias aloft.Alias) (aloft.Alias, error) {
	return d.putAlias(ctx, alias, d.Apps.UpdateAlias)
}

func (d *Deployer) putAlias(
	ctx context.Context, alias aloft.Alias, put func(context.Context, aloft.Alias) (aloft.Alias, error),
) (aloft.Alias, error) {
	if err := alias.Check(); err != nil {
		return aloft.Alias{}, err
	}
	if err := d.checkAliased(ctx, alias); err != nil {
		return aloft.Alias{}, err
	}
	alias.UpdatedAt = time.Now()
	stored, err := put(ctx, alias)
	if err == nil {
		d.Platform.AliasesChanged(alias.StageRef)
	}
	return stored, err
}

// checkAliased refuses an alias of a function that one of its releases does not have.
func (d *Deployer) checkAliased(ctx context.Context, alias aloft.Alias) error {
	if alias.Function == "" {
		return nil
	}
	for _, version := range alias.Versions() {
		release, err := d.Apps.Release(ctx, alias.StageRef, version)
		if err != nil {
			return err
		}
		if err := checkHandler(release, alias.Function); err != nil {
			return err
		}
	}
	return nil
}

// checkHandler returns NotFound unless a release has a handler function.
func checkHandler(release aloft.Release, name string) error {
	has := func(f aloft.Function) bool { return f.Kind == aloft.Handler && f.Name == name }
	if slices.ContainsFunc(release.Tuned(), has) {
		return nil
	}
	return aloft.Errorf(aloft.NotFound, "v%d of %s has no handler function %q", release.Version, release.StageRef, name).
		WithHint("aloft functions %s lists those of the current release", release.Stage)
}

// CheckHandler returns NotFound unless the stage's current release has a handler function of the name.
func (d *Deployer) CheckHandler(ctx context.Context, ref aloft.StageRef, name string) error {
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil {
		return err
	}
	if stage.Current == 0 {
		return aloft.Errorf(aloft.NotFound, "nothing of %s is deployed", ref).WithHint("deploy it first: aloft up %s", ref.Stage)
	}
	release, err := d.Apps.Release(ctx, ref, stage.Current)
	if err != nil {
		return err
	}
	return checkHandler(release, name)
}

// DeleteAlias deletes an alias; see [aloft.AliasStore].
func (d *Deployer) DeleteAlias(ctx context.Context, ref aloft.StageRef, function, name string) error {
	if err := d.Apps.DeleteAlias(ctx, ref, function, name); err != nil {
		return err
	}
	d.Platform.AliasesChanged(ref)
	return nil
}

// Aliases lists a stage's aliases; see [aloft.AliasStore].
func (d *Deployer) Aliases(ctx context.Context, ref aloft.StageRef) ([]aloft.Alias, error) {
	return d.Apps.Aliases(ctx, ref)
}
