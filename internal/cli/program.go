package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/manifest"
)

// program is one run of the program: its streams, its environment and the flags all commands share.
type program struct {
	in          io.Reader
	out, err    io.Writer
	env         map[string]string
	args        []string
	flags       globals
	wrapPut     func(PutFunc) PutFunc             // nil but in tests of durability
	wrapInvoker func(aloft.Invoker) aloft.Invoker // likewise
	limits      gateway.Limits
	patience    time.Duration // with AWS
	agreed      string        // the id of the plan of losses that somebody said yes to
}

// globals are the flags that all commands share.
type globals struct {
	dir, app, stage, home              string
	yes, quiet, noColor, json, verbose bool
	appSet, stageSet, homeSet          bool
	platform, profile, region          string
}

func newProgram(process Process) *program {
	p := &program{
		in: process.Stdin, out: process.Stdout, err: process.Stderr, args: process.Args, env: map[string]string{},
		wrapPut: process.WrapPut, wrapInvoker: process.WrapInvoker, limits: process.Limits, patience: process.AWSPatience,
	}
	for _, kv := range process.Env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			p.env[k] = v
		}
	}
	return p
}

// home returns the directory of all state.
func (p *program) home() (string, error) {
	dir := p.flags.home
	if p.flags.homeSet && dir == "" {
		return "", aloft.Errorf(aloft.Invalid, "--home is empty").WithHint("name a directory: --home /var/lib/aloft")
	}
	if dir == "" {
		dir = p.env["ALOFT_HOME"]
	}
	if dir == "" {
		if p.env["HOME"] == "" {
			return "", aloft.Errorf(aloft.Invalid, "there is no place for state: neither HOME nor ALOFT_HOME is set").
				WithHint("set ALOFT_HOME or give --home DIR")
		}
		dir = filepath.Join(p.env["HOME"], ".aloft")
	}
	return absolute(dir)
}

// dir returns the directory of the app's source.
func (p *program) dir() (string, error) {
	dir, err := absolute(p.flags.dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil && os.IsNotExist(err):
		return "", aloft.Errorf(aloft.Invalid, "there is no directory %s", dir).WithHint("-C names the directory of the app")
	case err != nil:
		return "", aloft.Errorf(aloft.Invalid, "%w", err).WithHint("-C names the directory of the app")
	case !info.IsDir():
		return "", aloft.Errorf(aloft.Invalid, "%s is not a directory", dir).WithHint("-C names the directory of the app")
	}
	return dir, nil
}

func absolute(dir string) (string, error) {
	if strings.ContainsRune(dir, 0) {
		return "", aloft.Errorf(aloft.Invalid, "the path %q contains a zero byte", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", aloft.Errorf(aloft.Invalid, "the current directory is gone: %w", err).WithHint("change to another one")
	}
	return abs, nil
}

// app returns the app's name: --app, else what the source in -C says.
func (p *program) app() (string, error) {
	if p.flags.appSet {
		return p.flags.app, aloft.CheckName("app", p.flags.app)
	}
	dir, err := p.dir()
	if err != nil {
		return "", err
	}
	m, _, err := manifest.Load(os.DirFS(dir))
	if err != nil {
		return "", err
	}
	return manifest.AppName(m, dir)
}

// stage returns the app and the stage that a command is about; arg is the stage as an argument, "" if there is none.
func (p *program) stage(arg string) (aloft.StageRef, error) {
	stage := p.flags.stage
	if arg != "" {
		if p.flags.stageSet && stage != arg {
			return aloft.StageRef{}, aloft.Errorf(aloft.Invalid, "two stages are named: %q and --stage %q", arg, stage).WithHint("name one")
		}
		stage = arg
	}
	if err := aloft.CheckName("stage", stage); err != nil {
		return aloft.StageRef{}, err
	}
	app, err := p.app()
	if err != nil {
		return aloft.StageRef{}, err
	}
	ref := aloft.StageRef{App: app, Stage: stage}
	return ref, ref.Check()
}

// author is who releases.
func (p *program) author() string {
	for _, name := range []string{"ALOFT_AUTHOR", "USER", "LOGNAME"} {
		if p.env[name] != "" {
			return clean(p.env[name])
		}
	}
	return ""
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint returns how to colour what is written to w.
func (p *program) paint(w io.Writer) paint {
	return paint(isTerminal(w) && !p.flags.noColor && p.env["NO_COLOR"] == "" && p.env["TERM"] != "dumb")
}

// first returns the first argument, "" if there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
