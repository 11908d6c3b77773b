package deploy

import (
	"context"

	"github.com/aloft-run/aloft"
)

// gradual is a platform that can give a release a share of requests before all.
type gradual interface {
	// ApplyGradually is Apply with a trial before commit is called. What speaks against the release is the error.
	ApplyGradually(ctx context.Context, release aloft.Release, canary aloft.Canary, report aloft.Reporter, commit func(context.Context) error) error
}

// checkCanary returns Invalid for a trial that is none, or that the platform cannot make. Nil is no trial.
func (d *Deployer) checkCanary(canary *aloft.Canary) error {
	if canary == nil {
		return nil
	}
	if _, is := d.Platform.(gradual); !is {
		return aloft.Errorf(aloft.Invalid, "requests are not divided between two releases here, only on AWS").
			WithHint("try it on a stage of its own, then move it: aloft up staging, aloft promote staging production")
	}
	return canary.Check()
}

// gradually adds a trial.
func (h hooks) gradually(canary *aloft.Canary) hooks {
	h.canary = canary
	return h
}
