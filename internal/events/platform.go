package events

import (
	"context"

	"github.com/aloft-run/aloft"
)

// Platform is a platform whose stages have their event sources run. It is what a deploy takes for the platform.
type Platform struct {
	Under

	Runner *Runner
}

// Under is the platform below.
type Under interface {
	aloft.Platform
	RunRelease(ctx context.Context, release aloft.Release, input aloft.RunInput) (int, error)
	Restore(ctx context.Context, stages []aloft.Restored) error
	AliasesChanged(ref aloft.StageRef)
}

var _ Under = (*Platform)(nil)

// Apply implements aloft.Platform. Sources that the release has not end when it is committed, before anything else of the stage
// changes; those it has in common with the one before go on; new ones begin when it serves.
func (p *Platform) Apply(ctx context.Context, release aloft.Release, report aloft.Reporter, commit func(context.Context) error) error {
	err := p.Under.Apply(ctx, release, report, func(ctx context.Context) error {
		err := commit(ctx)
		if err == nil {
			p.Runner.Drop(release)
		}
		return err
	})
	if err == nil && release.Artifact.Digest != "" {
		p.Runner.Use(release)
	}
	return err
}

// Stop implements aloft.Platform.
func (p *Platform) Stop(ctx context.Context, ref aloft.StageRef) error {
	p.Runner.Stop(ref)
	return p.Under.Stop(ctx, ref)
}

// Remove implements aloft.Platform.
func (p *Platform) Remove(ctx context.Context, ref aloft.StageRef) error {
	p.Runner.Remove(ref)
	return p.Under.Remove(ctx, ref)
}

// Restore makes stages serve again, and their sources run.
func (p *Platform) Restore(ctx context.Context, stages []aloft.Restored) error {
	if err := p.Under.Restore(ctx, stages); err != nil {
		return err
	}
	for _, s := range stages {
		switch {
		case s.Release.Artifact.Digest == "":
		case s.Stage.Stopped:
			p.Runner.Know(s.Release)
		default:
			p.Runner.Use(s.Release)
		}
	}
	return nil
}
