package cli

import (
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

// accountApps are the records of an account. One that aloft was never in has none, and no place for any.
type accountApps struct {
	aloft.AppService

	ready bool // there is a bucket
}

// Current is a stage with its current release; see [s3.Store.Current].
func (a *accountApps) Current(ctx context.Context, ref aloft.StageRef) (aloft.Stage, aloft.Release, error) {
	if store, is := a.AppService.(*s3.Store); is {
		return store.Current(ctx, ref)
	}
	stage, err := a.Stage(ctx, ref) // there is none
	return stage, aloft.Release{}, err
}
