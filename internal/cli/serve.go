package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/resource"
)

// drainPatience bounds the end of the server: requests in flight may finish.
const drainPatience = 40 * time.Second

const serveHelp = `Runs the aloft server in the foreground: it keeps the apps of one home directory running and serves them. Other
commands start one in the background when none runs.

The gateway listens on 127.0.0.1:7070 or the next free port; the choice is remembered in the home directory.
An address that is named, with --http or ALOFT_HTTP, is used or nothing is; with port 0 it is any free one.
Behind a reverse proxy name its addresses with --trusted-proxy: then the clients are those that it names in
X-Forwarded-For. Fields of that kind count from nobody else. One address may have 1024 connections, an IPv6 /64
likewise; trusted proxies and this machine itself may have more, for many clients are behind them.

With --https it serves TLS as well: certificates for *.localhost come from an authority of its own, those for
the apps' own domains from ACME, on demand.

Builds get these variables of the server's environment: PATH, HOME, the locale, proxies, certificate authorities
and the settings of package managers and compilers. Apps get PATH, the locale, certificate authorities and
where interpreters are installed; nothing else.

Apps and builds are kept apart as well as the machine allows: 4 isolated and bounded, 3 isolated, 2 confined, 1
separate processes; aloft doctor explains. With --isolation-minimum (ALOFT_ISOLATION_MINIMUM) the server refuses
to start below a level; --isolation (ALOFT_ISOLATION) asks for less than the best.

The buckets, queues, topics and streams of one stage hold 10 GB together, and as much what waits for its functions,
unless --resources-limit (ALOFT_RESOURCES_LIMIT) says otherwise. Of the disk 1 GB, of a small one a twentieth, is
left free. What there is no room for is refused with the error of the API that was asked.

SIGTERM or SIGINT ends it: requests in flight finish (within 40 s), then the apps end. A second one ends it
at once. What ran runs again at the next start. aloft upgrade puts a server of another program in its place without
losing a request; this process stays then, and stands for the other, unless systemd (Type=notify) watches it.

Of systemd it takes the sockets of a socket unit, in place of --http and --https: the first, or the one of the name
http, and the one of the name https.

Exit status: 0 it was ended; 1 it could not start: an address is taken, or another server holds the home
directory; 2 the input was wrong.`

type serveOptions struct {
	http, https     string
	atMost, atLeast string // levels of isolation
	proxies         []string
	room            string // for the resources of a stage
}

func newServe(p *program) *cobra.Command {
	var o serveOptions
	c := newCommand(cobra.Command{
		Use:   "serve [flags]",
		Short: "Run the server in the foreground",
		Long:  serveHelp,
		Example: `  aloft serve
  aloft serve --http :80 --https :443 --home /var/lib/aloft
  aloft serve --http 10.0.0.5:80 --trusted-proxy 10.0.0.0/28`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("http") {
				o.http = p.env["ALOFT_HTTP"]
			}
			if !c.Flags().Changed("isolation") {
				o.atMost = p.env["ALOFT_ISOLATION"]
			}
			if !c.Flags().Changed("isolation-minimum") {
				o.atLeast = p.env["ALOFT_ISOLATION_MINIMUM"]
			}
			if !c.Flags().Changed("resources-limit") {
				o.room = p.env["ALOFT_RESOURCES_LIMIT"]
			}
			return runServe(c.Context(), p, o)
		},
	})
	c.Flags().StringVar(&o.http, "http", "", "address of the gateway (default 127.0.0.1:7070, or the next free port)")
	c.Flags().StringVar(&o.https, "https", "", "address of the gateway for TLS (default: none)")
	c.Flags().StringVar(&o.atMost, "isolation", "", "strongest level of isolation that is tried, 1 to 4 (default: the best)")
	c.Flags().StringVar(&o.atLeast, "isolation-minimum", "", "weakest level of isolation with which apps are run (default 1)")
	c.Flags().StringVar(&o.room, "resources-limit", "", "how much the resources of a stage hold at most, such as 50GB (default 10GB)")
	c.Flags().StringSliceVar(&o.proxies, "trusted-proxy", nil, "address or range (CIDR) of a proxy in front; may be repeated")
	return c
}

func runServe(ctx context.Context, p *program, o serveOptions) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	if err := checkAddresses(o); err != nil {
		return err
	}
	proxies, err := trusted(o.proxies)
	if err != nil {
		return err
	}
	want, err := readIsolation(o.atMost, o.atLeast)
	if err != nil {
		return err
	}
	room, err := readRoom(o.room)
	if err != nil {
		return err
	}
	before, err := p.inherit()
	if err != nil {
		return err
	}
	if p.env[backgroundEnv] != "" {
		if err := p.logToFile(home); err != nil {
			return err
		}
	}
	err = p.runServer(ctx, serverOptions{
		serveOptions: o, isolation: want, home: home, args: p.args, env: p.env, log: p.err, wrapPut: p.wrapPut, wrapInvoker: p.wrapInvoker,
		trusted: proxies, roomPerStage: room, limits: p.limits, before: before, background: p.env[backgroundEnv] != "",
	})
	if _, asked := errors.AsType[*exitError](err); err != nil && !asked {
		before.fail(err) // nobody hears it once this server serves
	}
	return err
}

// readRoom reads how many bytes a stage may have; "" is the default.
func readRoom(text string) (bytes int64, err error) {
	if text == "" {
		return resource.DefaultMost, nil
	}
	mb, ok := manifest.ParseSize(text)
	if !ok {
		return 0, aloft.Errorf(aloft.Invalid, "--resources-limit %q is no size", text).WithHint("such as 500MB or 50GB")
	}
	return int64(mb) << 20, nil
}

// runServer is a server's life.
func (p *program) runServer(ctx context.Context, o serverOptions) error {
	var err error
	if o.lock, err = o.takeLock(); err != nil {
		return err
	}
	defer func() { _ = o.lock.Close() }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o.shutdown = stop
	s, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	addresses := "http://" + s.gateway.HTTPAddr()
	if https := s.gateway.HTTPSAddr(); https != "" {
		addresses += " and https://" + https
	}
	fmt.Fprintf(p.err, "aloft %s serves %s, home %s\n", thisVersion().Version, addresses, o.home)
	notify(o.env, "READY=1")
	served := s.serve(ctx)
	// The first signal has come, or a client asked for the end. From now on another signal ends the wait.
	drain, forced := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGINT, syscall.SIGTERM)
	defer forced()
	drain, cancel := context.WithTimeout(drain, drainPatience)
	defer cancel()
	fmt.Fprintln(p.err, "ending: requests in flight may finish")
	if err := s.close(drain); err != nil {
		s.logger.Warn("not all ended in peace", "error", err)
	}
	if err := s.bye(); err != nil {
		return err
	}
	if served != nil {
		return served
	}
	return &exitError{status: exitOK} // asked to end, by a signal too
}

// takeLock makes the home this server's: alone, or together with the server before.
func (o serverOptions) takeLock() (*os.File, error) {
	if o.before != nil {
		return o.before.lock, nil
	}
	if err := makeHome(o.home); err != nil {
		return nil, err
	}
	lock, err := lockHome(o.home)
	if err == nil {
		_ = os.Remove(handoverPath(o.home)) // a server that was killed left it
	}
	return lock, err
}
