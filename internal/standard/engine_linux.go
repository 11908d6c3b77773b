package standard

import (
	"context"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/confined"
	"github.com/aloft-run/aloft/internal/engine/namespace"
)

// readySandboxes is how many sandboxes stand ready: two starts in a row find one each, and each costs a megabyte.
const readySandboxes = 2

func attempts() []attempt {
	return []attempt{
		{engine.Bounded, func(ctx context.Context, o EngineOptions) (engine.Engine, error) {
			return namespace.New(ctx, namespace.Options{
				Server: o.Server, Visible: o.Visible, Ready: readySandboxes, Bounded: true, Logger: o.Logger,
			})
		}},
		{engine.Isolated, func(ctx context.Context, o EngineOptions) (engine.Engine, error) {
			return namespace.New(ctx, namespace.Options{Server: o.Server, Visible: o.Visible, Ready: readySandboxes, Logger: o.Logger})
		}},
		{engine.Confined, func(_ context.Context, o EngineOptions) (engine.Engine, error) {
			return confined.New(o.RunDir, o.Visible)
		}},
	}
}
