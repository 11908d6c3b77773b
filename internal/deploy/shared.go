package deploy

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aloft-run/aloft"
)

// lockBuild makes the caller the only one who builds an app, among all processes that share its caches.
func (d *Deployer) lockBuild(ctx context.Context, app string, report aloft.Reporter) (func(), error) {
	unlock, err := d.builds.acquire(ctx, app, "another build of "+app+" is under way; waiting for it", report)
	if err != nil || d.LockBuild == nil {
		return unlock, err
	}
	others, err := d.LockBuild(ctx, app, report)
	if err != nil {
		unlock()
		return nil, err
	}
	return func() {
		others()
		unlock()
	}, nil
}

// Tidy frees what processes that were killed left in a Dir that is Shared, and the artifacts made longer than age ago. Nobody
// else may work with Dir and Artifacts until it returns.
func (d *Deployer) Tidy(ctx context.Context, age time.Duration) error {
	if err := os.RemoveAll(d.buildsDir()); err != nil {
		return fmt.Errorf("remove build directories: %w", err)
	}
	if _, _, err := d.Artifacts.Collect(ctx, nil, age); err != nil {
		return err
	}
	d.forget()
	d.trimIndexes()
	return nil
}
