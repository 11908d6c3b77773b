package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// readyPatience is how long a new server may take to become ready if nobody says otherwise.
const readyPatience = 2 * time.Minute

const upgradeHelp = `Puts another aloft program, FILE, in the place of the installed one. If a server runs, a server of the new
program takes its place while it serves: the new one starts every app beside the old one, becomes ready, and takes
connections; then the old one answers what it has begun and ends. No request is lost. Commands given meanwhile wait.

FILE is looked at first: it must be an aloft program for this machine that understands the state. If the new server
does not become ready within --timeout it is ended, the old one goes on serving, and the old program is put back. The
program that was replaced stays beside the new one with ".previous" at the end of its name; to return to it, give it
as FILE. If FILE is the installed program itself, which a package manager has replaced say, only the server is.

An app that insists on a port of its own, at isolation levels 1 and 2, cannot run twice: its requests wait for the
seconds that its change takes, and its streams are cut. A deploy, a build or aloft run that is under way is waited for,
within --timeout.

With --json: {"program", "version", "previous", "before": {"version"}, "server": {"pid", "version", "before"}};
"before" and "server" are there if a server runs, "previous" if the program was replaced.

Exit status: 0 upgraded; 1 the new server did not become ready, or the program cannot be replaced; 2 FILE is no aloft
program for this machine and this state. After 1 and 2 all is as it was.`

type upgradeOptions struct {
	self    string
	timeout time.Duration
}

func newUpgrade(p *program) *cobra.Command {
	var o upgradeOptions
	c := newCommand(cobra.Command{
		Use:   "upgrade --self FILE [flags]",
		Short: "Replace the aloft program, without losing a request",
		Long:  upgradeHelp,
		Example: `  aloft upgrade --self ./aloft-1.4
  aloft upgrade --self ./aloft-1.4 --yes --timeout 5m
  aloft upgrade --self /usr/local/bin/aloft.previous
  aloft upgrade --self /usr/local/bin/aloft --yes --home /var/lib/aloft`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runUpgrade(c.Context(), p, o) },
	})
	c.Flags().StringVar(&o.self, "self", "", "the aloft program to install")
	c.Flags().DurationVar(&o.timeout, "timeout", readyPatience, "for the new server to become ready")
	_ = c.MarkFlagFilename("self")
	return c
}

// upgrade is the replacement of the installed program.
type upgrade struct {
	file   string
	target string // the installed program
	now    versionInfo
	there  bool        // somebody has installed the file already
	server *api.Health // nil if none runs
}

func runUpgrade(ctx context.Context, p *program, o upgradeOptions) error {
	if o.self == "" {
		return aloft.Errorf(aloft.Invalid, "what is to be upgraded is missing").WithHint("name the new program: aloft upgrade --self FILE")
	}
	if o.timeout < time.Second || o.timeout > time.Hour {
		return aloft.Errorf(aloft.Invalid, "--timeout %s is not between 1s and 1h", o.timeout)
	}
	home, err := p.home()
	if err != nil {
		return err
	}
	c := client.New(socketPath(home))
	defer c.Close()
	u, err := p.prepareUpgrade(ctx, c, home, o)
	if err != nil {
		return err
	}
	if !p.flags.quiet {
		fmt.Fprintln(p.err, u.intention())
	}
	if err := p.confirm(ctx, "Go on?"); err != nil {
		return err
	}
	return p.replaceProgram(ctx, c, u, o.timeout)
}

// prepareUpgrade looks at everything and changes nothing.
func (p *program) prepareUpgrade(ctx context.Context, c *client.Client, home string, o upgradeOptions) (upgrade, error) {
	u := upgrade{}
	var err error
	if u.file, err = absolute(o.self); err != nil {
		return u, err
	}
	if err := checkProgramFile(u.file); err != nil {
		return u, err
	}
	health, err := runningServer(ctx, c, home)
	if err != nil {
		return u, err
	}
	u.server = health
	if u.target, err = installedProgram(health); err != nil {
		return u, err
	}
	if u.there = same(u.file, u.target); u.there && health == nil {
		return u, aloft.Errorf(aloft.Invalid, "%s is the installed program itself, and no server is running", u.file).
			WithHint("name the new one: aloft upgrade --self FILE")
	}
	if u.now, err = askVersion(ctx, u.file); err != nil {
		return u, err
	}
	return u, u.fits(home)
}

// runningServer returns nil if none runs.
func runningServer(ctx context.Context, c *client.Client, home string) (*api.Health, error) {
	err := answers(ctx, c, home)
	if aloft.ErrorCode(err) == aloft.Unavailable && !lockHeld(home) {
		return nil, nil //nolint:nilnil // no server is no error
	}
	if err != nil {
		return nil, err
	}
	health, err := c.Health(ctx)
	return &health, err
}

// installedProgram is the program of the server that runs, else this one.
func installedProgram(server *api.Health) (string, error) {
	if server != nil && server.Program != "" {
		return server.Program, nil
	}
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return "", fmt.Errorf("find the installed program: %w", err)
	}
	return program, nil
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

// intention says what the upgrade will do.
func (u upgrade) intention() string {
	text := fmt.Sprintf("%s is aloft %s; it takes the place of %s, which stays as %s", u.file, clean(u.now.Version), u.target, previous(u.target))
	if u.there {
		text = fmt.Sprintf("%s is aloft %s, installed already", u.file, clean(u.now.Version))
	}
	if u.server == nil {
		return text + "\nno server is running"
	}
	return text + fmt.Sprintf("\nthe running server (aloft %s, pid %d) hands its apps over to the new one; no request is lost", clean(u.server.Version), u.server.PID)
}

// replaceProgram installs the program and lets the server be replaced. If either fails all is put back.
func (p *program) replaceProgram(ctx context.Context, c *client.Client, u upgrade, limit time.Duration) error {
	result := map[string]any{"program": u.target, "version": u.now.Version}
	var installed installation
	if !u.there {
		var err error
		if installed, err = install(ctx, u.file, u.target); err != nil {
			return err
		}
		result["previous"] = previous(u.target)
	}
	text := fmt.Sprintf("%s is aloft %s now", u.target, clean(u.now.Version))
	if u.server != nil {
		if !p.flags.quiet {
			fmt.Fprintf(p.err, "the new server starts; it has %s to become ready\n", limit)
		}
		done, err := upgradeServer(ctx, c, u.server, limit)
		if err != nil {
			return installed.putBack(err)
		}
		result["server"], result["before"] = done, map[string]string{"version": u.server.Version}
		text += fmt.Sprintf("; its server (pid %d) serves, the one before (pid %d) finishes its requests", done.PID, done.Before.PID)
	}
	installed.keep()
	if p.flags.json {
		return p.printJSON(result)
	}
	if !p.flags.quiet {
		fmt.Fprintln(p.err, text)
	}
	return nil
}

// upgradeServer has the server replaced. When the answer does not arrive it finds out what came of it.
func upgradeServer(ctx context.Context, c *client.Client, before *api.Health, limit time.Duration) (api.Upgraded, error) {
	done, err := c.UpgradeServer(ctx, limit)
	if err == nil || aloft.ErrorCode(err) == aloft.Failed || aloft.ErrorCode(err) == aloft.Conflict {
		return done, err
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerPatience)
	defer cancel()
	health, lookErr := c.Health(late) // it answers when it is decided
	if lookErr != nil || health.PID == before.PID {
		return done, err
	}
	old := api.ServerPID{PID: before.PID, Version: before.Version}
	return api.Upgraded{PID: health.PID, Version: health.Version, Before: old}, nil
}
