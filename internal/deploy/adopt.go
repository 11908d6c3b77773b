package deploy

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
)

// Adopt makes the record of a release that serves already, whose records were lost, with its config sealed and its domains. Keep
// stores it under the number that it has. It returns Conflict if the stage has releases.
func (d *Deployer) Adopt(
	ctx context.Context, release aloft.Release, config aloft.Config, keep func(context.Context, aloft.Release) (aloft.Release, error), report aloft.Reporter,
) (aloft.Release, error) {
	ctx, unlock, err := d.lockStage(ctx, release.StageRef, report)
	if err != nil {
		return aloft.Release{}, err
	}
	defer unlock()
	state, err := d.ensure(ctx, release.StageRef)
	if err != nil {
		return aloft.Release{}, err
	}
	if state.latest > 0 {
		return aloft.Release{}, aloft.Errorf(aloft.Conflict, "aloft has %s: it is at v%d", release.StageRef, state.stage.Current).
			WithHint("there is nothing to import: aloft status %s", release.Stage)
	}
	if release.Config, err = d.Sealer.Seal(state.app, release.Stage, release.Version, config); err != nil {
		return aloft.Release{}, err
	}
	if release.CreatedAt.IsZero() {
		release.CreatedAt = time.Now().UTC()
	}
	if domains := release.AWS.Domains; len(domains) > 0 {
		stage := state.stage.Clone()
		stage.Domains = domains
		if err := d.Apps.UpdateStage(ctx, stage); err != nil {
			return aloft.Release{}, err
		}
	}
	return keep(ctx, release)
}
