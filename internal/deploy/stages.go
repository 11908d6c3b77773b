package deploy

import (
	"context"
	"time"

	"github.com/aloft-run/aloft"
)

// state is a stage as a change finds it.
type state struct {
	app     aloft.App
	stage   aloft.Stage
	current aloft.Release // zero before the first
	latest  int           // the highest version in use
	config  aloft.Config  // of current, in clear
	agreed  bool          // to what comes next, by who was asked
}

// lockStage makes the caller the only one who changes the stage. Held is ctx until the lock is lost. Releases that an earlier
// server left pending are marked as failed: whoever holds the lock knows that nobody works on them.
func (d *Deployer) lockStage(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) (held context.Context, unlock func(), err error) {
	leave, err := d.stages.acquire(ctx, ref.String(), "another change of "+ref.String()+" is under way; waiting for it", report)
	if err != nil {
		return nil, nil, err
	}
	held, unlock = ctx, leave
	if d.Lock != nil {
		outer, release, err := d.Lock(ctx, ref, report)
		if err != nil {
			leave()
			return nil, nil, err
		}
		held, unlock = outer, func() { release(); leave() }
	}
	if err := d.sweep(held, ref, report); err != nil {
		unlock()
		return nil, nil, err
	}
	return held, unlock, nil
}

// sweep looks at the newest release only: no change appends one before it has swept.
func (d *Deployer) sweep(ctx context.Context, ref aloft.StageRef, report aloft.Reporter) error {
	releases, err := d.Apps.Releases(ctx, ref, 1)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	for _, r := range releases {
		if r.Status != aloft.Pending {
			continue
		}
		reason := "interrupted: the command or the server that deployed it ended before it was done"
		serves, err := d.settled(ctx, r, report)
		if err != nil {
			return err
		}
		if platform, is := d.Platform.(restorer); is && !serves {
			if err := platform.PutBack(ctx, r, report); err != nil {
				return err
			}
		}
		if serves {
			reason = ""
		}
		if err := d.Apps.FinishRelease(ctx, ref, r.Version, reason); err != nil {
			return err
		}
	}
	return nil
}

// settler is a platform where what serves outlives the process that deployed it.
type settler interface {
	// Settled reports whether a release that was never finished serves in fact. It may wait for what is under way, and says so.
	Settled(ctx context.Context, release aloft.Release, report aloft.Reporter) (bool, error)
}

// restorer is a platform where a deploy that ended halfway may leave a release serving in part.
type restorer interface {
	// PutBack makes the current release serve alone again.
	PutBack(ctx context.Context, release aloft.Release, report aloft.Reporter) error
}

// settled reports whether a pending release serves: whoever deployed it ended before the record was written.
func (d *Deployer) settled(ctx context.Context, release aloft.Release, report aloft.Reporter) (bool, error) {
	platform, ok := d.Platform.(settler)
	if !ok {
		return false, nil
	}
	return platform.Settled(ctx, release, report)
}

// ensure returns the state of a stage and creates app and stage if they are missing.
func (d *Deployer) ensure(ctx context.Context, ref aloft.StageRef) (state, error) {
	d.created.Lock()
	defer d.created.Unlock()
	now := time.Now().UTC()
	if _, err := d.Apps.App(ctx, ref.App); aloft.ErrorCode(err) == aloft.NotFound {
		key, err := d.Sealer.NewKey(ref.App)
		if err != nil {
			return state{}, err
		}
		if err := d.Apps.CreateApp(ctx, aloft.App{Name: ref.App, Key: key, CreatedAt: now}); err != nil && aloft.ErrorCode(err) != aloft.Conflict { // else another process was faster
			return state{}, err
		}
	}
	if _, err := d.Apps.Stage(ctx, ref); aloft.ErrorCode(err) == aloft.NotFound {
		if err := d.Apps.CreateStage(ctx, aloft.Stage{StageRef: ref, CreatedAt: now}); err != nil {
			if _, missing := d.Apps.Stage(ctx, ref); missing != nil { // else another process was faster
				return state{}, err
			}
		}
	}
	return d.load(ctx, ref)
}

// load returns the state of an existing stage.
func (d *Deployer) load(ctx context.Context, ref aloft.StageRef) (state, error) {
	app, err := d.Apps.App(ctx, ref.App)
	if err != nil {
		return state{}, err
	}
	stage, err := d.Apps.Stage(ctx, ref)
	if err != nil {
		return state{}, err
	}
	s := state{app: app, stage: stage, config: aloft.Config{}}
	newest, err := d.Apps.Releases(ctx, ref, 1)
	if err != nil {
		return state{}, err
	}
	if len(newest) > 0 {
		s.latest = newest[0].Version
	}
	if stage.Current == 0 {
		return s, nil
	}
	if s.current, err = d.Apps.Release(ctx, ref, stage.Current); err != nil {
		return state{}, err
	}
	s.config, err = d.Sealer.Unseal(app, ref.Stage, s.current.Config)
	return s, err
}
