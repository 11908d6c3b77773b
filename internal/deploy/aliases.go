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
		has := func(f aloft.Function) bool { return f.Kind == aloft.Handler && f.Name == alias.Function }
		if !slices.ContainsFunc(release.Tuned(), has) {
			return aloft.Errorf(aloft.NotFound, "v%d of %s has no handler function %q", version, alias.StageRef, alias.Function).
				WithHint("aloft functions lists those of the current release")
		}
	}
	return nil
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
