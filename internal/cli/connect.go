package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// startPatience bounds the wait for a server to answer after its start: it may have many apps to start again.
const startPatience = 60 * time.Second

func socketPath(home string) string { return filepath.Join(home, api.SocketName) }

func serverLog(home string) string { return filepath.Join(home, "server.log") }

// server returns a client of the server in the home directory. If none answers it starts one in the background.
func (p *program) server(ctx context.Context) (*client.Client, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	c := client.New(socketPath(home))
	err = answers(ctx, c, home)
	if aloft.ErrorCode(err) == aloft.Unavailable {
		err = p.startServer(ctx, c, home)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// answers returns nil if a server answers, Unavailable if none is there, and Failed if one is there but does not answer.
func answers(ctx context.Context, c *client.Client, home string) error {
	err := healthSoon(ctx, c)
	for errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && isHandedOver(home) {
		err = healthSoon(ctx, c) // the next server answers
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return aloft.Errorf(aloft.Failed, "the aloft server%s has not answered for %s", lockHolder(home), answerPatience).
			WithHint("see the end of %s; if it hangs, kill it and type the same command again", serverLog(home))
	}
	return err
}

func healthSoon(ctx context.Context, c *client.Client) error {
	soon, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	_, err := c.Health(soon)
	return err
}

// answerPatience bounds the wait for a server that is there to say so.
const answerPatience = 10 * time.Second

// startServer starts a server and waits until one answers: this one, or another that was faster.
func (p *program) startServer(ctx context.Context, c *client.Client, home string) error {
	if err := makeHome(home); err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := awaitOther(patient, c, home); err == nil || ctx.Err() != nil {
		return err
	}
	server, err := launch(home, p.env)
	if err != nil {
		return err
	}
	err = poll(patient, func() (bool, error) {
		health, err := c.Health(patient)
		if err != nil {
			return false, server.look()
		}
		if health.PID == server.pid && !p.flags.quiet {
			fmt.Fprintf(p.err, "started the aloft server (pid %d, log %s; stop it with `aloft stop --server`)\n", health.PID, serverLog(home))
		}
		return true, nil
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // the server goes on starting; it does no harm
	case patient.Err() != nil:
		err = fmt.Errorf("no answer within %s", startPatience)
	}
	return aloft.Errorf(aloft.Unavailable, "the aloft server did not start: %w", err).
		WithDetail(server.said()).WithHint("the whole log is in %s; aloft serve runs it in the foreground", serverLog(home))
}

// awaitOther waits for the answer of a server that holds the home but does not answer yet. It returns an error once none
// holds it any more: one that starts or ends, and one that we started beside it, would race for the home.
func awaitOther(ctx context.Context, c *client.Client, home string) error {
	return poll(ctx, func() (bool, error) {
		if !lockHeld(home) {
			return false, errNoServer
		}
		_, err := c.Health(ctx)
		return err == nil, nil
	})
}

var errNoServer = errors.New("no server holds the home directory")

func makeHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return aloft.Errorf(aloft.Internal, "the home directory cannot be made: %w", err).
			WithHint("set ALOFT_HOME or --home to a directory that you may write")
	}
	return nil
}
