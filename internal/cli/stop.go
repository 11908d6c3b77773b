package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
)

// stopPatience bounds the wait for a server that stops: requests in flight may finish first.
const stopPatience = 90 * time.Second

func newStop(p *program) *cobra.Command {
	var server bool
	c := newCommand(cobra.Command{
		Use:   "stop [stage] [flags]",
		Short: "Stop a stage, or the server",
		Long: `Stops the instances of a stage; its URL answers that it is stopped until the next aloft up.
With --server it stops the aloft server and everything it runs, and waits until it has ended; what ran
runs again when a server starts.

Exit status: 0 stopped, or no server was running; 1 it did not stop; 2 there is no such app or stage.`,
		Example: `  aloft stop
  aloft stop production
  aloft stop --server`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if server {
				return runStopServer(c.Context(), p, args)
			}
			return runStop(c.Context(), p, first(args))
		},
	})
	c.Flags().BoolVar(&server, "server", false, "stop the aloft server")
	return c
}

func runStop(ctx context.Context, p *program, stage string) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Stop(ctx, ref); err != nil {
		return p.explain(ctx, c, ref, err)
	}
	return p.printStopped(map[string]any{"app": ref.App, "stage": ref.Stage, "stopped": true}, ref.String()+" is stopped")
}

func (p *program) printStopped(value map[string]any, text string) error {
	if p.flags.json {
		return p.printJSON(value)
	}
	if !p.flags.quiet {
		fmt.Fprintln(p.err, text)
	}
	return nil
}

func runStopServer(ctx context.Context, p *program, args []string) error {
	if len(args) > 0 || p.flags.stageSet || p.flags.appSet {
		return aloft.Errorf(aloft.Invalid, "--server stops the whole server, not one stage").WithHint("leave out the app and the stage, or --server")
	}
	home, err := p.home()
	if err != nil {
		return err
	}
	c := client.New(socketPath(home))
	defer c.Close()
	health, err := c.Health(ctx)
	if err != nil {
		if aloft.ErrorCode(err) != aloft.Unavailable {
			return err
		}
		return p.printStopped(map[string]any{"stopped": false}, "no server is running in "+home)
	}
	if err := c.StopServer(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	holder := lockHolder(home)
	err = poll(ctx, func() (bool, error) { return !lockHeld(home) || lockHolder(home) != holder, nil }) // another may start at once
	if err != nil {
		return aloft.Errorf(aloft.Failed, "the server (pid %d) is still stopping: %w", health.PID, err).
			WithHint("see the end of %s", serverLog(home))
	}
	return p.printStopped(map[string]any{"stopped": true, "pid": health.PID}, fmt.Sprintf("the server (pid %d) has stopped", health.PID))
}

// poll asks until done answers true or an error, or ctx ends.
func poll(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
