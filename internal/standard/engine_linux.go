package standard

import (
	"context"
	"os"

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
				Server: o.Server, Visible: o.Visible, Ready: readySandboxes, Bounded: true, Second: o.Second, Logger: o.Logger,
			})
		}},
		{engine.Isolated, func(ctx context.Context, o EngineOptions) (engine.Engine, error) {
			return namespace.New(ctx, namespace.Options{
				Server: o.Server, Visible: o.Visible, Ready: readySandboxes, Second: o.Second, Logger: o.Logger,
			})
		}},
		{engine.Confined, func(_ context.Context, o EngineOptions) (engine.Engine, error) {
			return confined.New(o.RunDir, o.Visible)
		}},
	}
}

// sweep removes what a server's sandboxes held of the machine. An ordinary user's held nothing, and he may not look.
func sweep(server string) error {
	err := namespace.Sweep(server)
	if os.Geteuid() != 0 {
		return nil
	}
	return err
}
