package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// The verdicts of a check.
const (
	good    = "ok"
	warning = "warning"
	bad     = "failed"
)

// check is one thing that doctor looked at.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warning, failed
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

// lowSpace is how many free bytes are too few to go on without a warning.
const lowSpace = 1 << 30

func newDoctor(p *program) *cobra.Command {
	var attack bool
	var level string
	c := newCommand(cobra.Command{
		Use:   "doctor [flags]",
		Short: "Check what aloft needs on this machine",
		Long: `Checks the home directory, the disk, the server and its state, the gateway's port and the interpreters that are
installed, and says what keeps apps apart. It changes nothing and starts no server.

With --attack it tries instead what a hostile app would try, from inside of a sandbox: some 60 probes, harmless
where they succeed, at the best level of isolation that the machine gives, or at --level.

With --json: {"ok", "checks": [{"name", "status": "ok" | "warning" | "failed", "text", "hint"}]}; with --attack:
{"ok", "level", "engine", "results": [{"name", "group", "allowed", "expected", "reason"}]}.

Exit status: 0 nothing has failed; 1 something has, or a probe came through that should not at this level.`,
		Example: `  aloft doctor
  aloft doctor --json
  aloft doctor --attack --level 3`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if attack {
				return runAttack(c.Context(), p, level)
			}
			if level != "" {
				return aloft.Errorf(aloft.Invalid, "--level goes with --attack").WithHint("aloft doctor tries all levels")
			}
			return runDoctor(c.Context(), p)
		},
	})
	c.Flags().BoolVar(&attack, "attack", false, "try what a hostile app would try")
	c.Flags().StringVar(&level, "level", "", "strongest level of isolation to attack, 1 to 4 (default: the best)")
	return c
}

func runDoctor(ctx context.Context, p *program) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	checks := []check{checkHome(home), checkDisk(home)}
	checks = append(checks, checkServer(ctx, home)...)
	checks = append(checks, checkIsolation(ctx, p.env)...)
	checks = append(checks, checkTools(ctx)...)
	failed := 0
	for _, c := range checks {
		if c.Status == bad {
			failed++
		}
	}
	if p.flags.json {
		err = p.printJSON(map[string]any{"ok": failed == 0, "checks": checks})
	} else {
		p.printChecks(checks)
	}
	if err == nil && failed > 0 {
		return &exitError{status: exitFailed}
	}
	return err
}

func (p *program) printChecks(checks []check) {
	paint := p.paint(p.out)
	marks := map[string]string{good: paint.green("ok     "), warning: paint.yellow("warning"), bad: paint.red("failed ")}
	for _, c := range checks {
		if p.flags.quiet && c.Status == good {
			continue
		}
		fmt.Fprintf(p.out, "%s  %-10s %s\n", marks[c.Status], c.Name, clean(c.Text))
		if c.Hint != "" {
			fmt.Fprintf(p.out, "%21shint: %s\n", "", clean(c.Hint))
		}
	}
}

func checkHome(home string) check {
	c := check{Name: "home", Status: good, Text: home}
	info, err := os.Stat(home)
	switch {
	case errors.Is(err, os.ErrNotExist):
		c.Text += " (not made yet)"
	case err != nil:
		c.Status, c.Text, c.Hint = bad, err.Error(), "set ALOFT_HOME to a directory that you may write"
	case !info.IsDir():
		c.Status, c.Text, c.Hint = bad, home+" is not a directory", "set ALOFT_HOME to a directory that you may write"
	case info.Mode().Perm()&0o077 != 0:
		c.Status, c.Text, c.Hint = warning, fmt.Sprintf("%s is open to other users (mode %#o)", home, info.Mode().Perm()), "chmod 700 "+home
	case syscall.Access(home, 2) != nil: // W_OK
		c.Status, c.Text, c.Hint = bad, home+" may not be written", "set ALOFT_HOME to a directory that you may write"
	}
	return c
}

func checkDisk(home string) check {
	dir := home
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return check{Name: "disk", Status: warning, Text: err.Error()}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	c := check{Name: "disk", Status: good, Text: aloft.SizeText(int64(free)) + " free"}
	if free < lowSpace {
		c.Status, c.Hint = warning, "builds may fail for want of space; aloft destroy frees that of an app"
	}
	return c
}

// checkServer looks at the server; none running is no fault.
func checkServer(ctx context.Context, home string) []check {
	c := client.New(socketPath(home))
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	health, err := c.Check(ctx)
	if aloft.ErrorCode(err) == aloft.Unavailable && !lockHeld(home) {
		return []check{
			{Name: "server", Status: good, Text: "not running; a command that needs it starts it"},
			checkPort(readMemory(home)),
		}
	}
	if err != nil {
		return []check{{Name: "server", Status: bad, Text: err.Error(), Hint: "see the end of " + serverLog(home)}}
	}
	checks := []check{
		{Name: "server", Status: good, Text: fmt.Sprintf("%s, pid %d, up %s", health.Version, health.PID, ago(health.StartedAt))},
		{Name: "gateway", Status: good, Text: strings.TrimSuffix("http "+health.HTTP+", https "+health.HTTPS, ", https ")},
		{Name: "running", Status: good, Text: health.Isolation},
		{Name: "state", Status: good, Text: "the database is sound"},
	}
	if own := thisVersion().Version; health.Version != own {
		checks[0].Status, checks[0].Hint = warning, "this program is "+own+"; the server becomes it with: aloft upgrade --self "+ownPath()
	}
	if health.State != api.StateOK {
		checks[3] = check{Name: "state", Status: bad, Text: health.State}
	}
	return checks
}

// ownPath is where this program is, as far as is known.
func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		return "FILE"
	}
	return path
}

// checkPort looks whether the gateway would get its address.
func checkPort(remembered memory) check {
	address := remembered.HTTP
	if address == "" {
		address = addresses("", "")[0]
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return check{Name: "gateway", Status: warning, Text: err.Error(), Hint: "the next free port is taken instead; aloft serve --http names one"}
	}
	_ = listener.Close()
	return check{Name: "gateway", Status: good, Text: address + " is free"}
}

// checkTools says which interpreters are installed. None of them is needed by aloft itself.
func checkTools(ctx context.Context) []check {
	var checks []check
	for _, tool := range [][]string{
		{"node", "--version"}, {"python3", "--version"}, {"go", "version"}, {"java", "-version"}, {"ruby", "--version"}, {"cargo", "--version"},
	} {
		c := check{Name: tool[0], Status: good, Text: "not installed"}
		if path, err := exec.LookPath(tool[0]); err == nil {
			c.Status, c.Text = toolVersion(ctx, path, tool[1])
		}
		checks = append(checks, c)
	}
	return checks
}

func toolVersion(ctx context.Context, path, arg string) (status, text string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, arg).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil {
		return warning, path + " does not work: " + err.Error()
	}
	return good, line
}
