package deploy

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/manifest"
)

// project is a source directory and what it says about itself, for one stage.
type project struct {
	dir      string
	ref      aloft.StageRef
	settings manifest.Settings
}

// open reads the manifest of a source directory, which must be one that this server runs. Warnings of the manifest are reported.
func (d *Deployer) open(input aloft.DeployInput, report aloft.Reporter) (project, error) {
	p, err := d.read(input, report)
	if err != nil {
		return p, err
	}
	if platform := cmp.Or(input.Platform, aloft.PlatformName(p.settings.Platform)); platform == aloft.OnAWS && d.AWS == nil {
		return p, elsewhere(p.ref)
	}
	return p, engine.Require(d.Engine, p.settings.Isolation.Minimum)
}

// read reads the manifest of a source directory.
func (d *Deployer) read(input aloft.DeployInput, report aloft.Reporter) (project, error) {
	if !filepath.IsAbs(input.Dir) {
		return project{}, aloft.Errorf(aloft.Invalid, "the source directory %q is not an absolute path", input.Dir)
	}
	info, err := os.Stat(input.Dir)
	if err != nil {
		return project{}, aloft.Errorf(aloft.Invalid, "the source directory cannot be read: %w", err)
	}
	if !info.IsDir() {
		return project{}, aloft.Errorf(aloft.Invalid, "%s is not a directory", input.Dir).
			WithHint("name the directory that holds the app: aloft -C DIR up")
	}
	m, warnings, err := manifest.Reader{Source: d.Sources.Canonical}.Load(os.DirFS(input.Dir))
	if err != nil {
		return project{}, err
	}
	for _, w := range warnings {
		report.Report(aloft.Warning{Text: w.String()})
	}
	ref := input.Stage
	if ref.App == "" {
		if ref.App, err = manifest.AppName(m, input.Dir); err != nil {
			return project{}, err
		}
	}
	if ref.Stage == "" {
		ref.Stage = aloft.DefaultStage
	}
	if err := ref.Check(); err != nil {
		return project{}, err
	}
	return project{dir: input.Dir, ref: ref, settings: settings(m, ref.Stage, input.Dir)}, nil
}

// settings are what the manifest says for a stage. Apps made for apex/up learn their stage as they do there.
func settings(m manifest.Manifest, stage, dir string) manifest.Settings {
	s := m.Stage(stage)
	if _, err := os.Lstat(filepath.Join(dir, manifest.UpFile)); err == nil {
		s.Env = environment(map[string]string{"UP_STAGE": stage}, s.Env)
	}
	if web := s.Functions[manifest.WebFunction]; stage != aloft.Production && web.Idle == 0 && !web.NeverIdle {
		web.Idle = idleTime
		s.Functions = maps.Clone(s.Functions)
		if s.Functions == nil {
			s.Functions = map[string]manifest.FunctionSettings{}
		}
		s.Functions[manifest.WebFunction] = web
	}
	return s
}

// idleTime is after how long without a request the web function of a stage that is not production ends, unless the manifest
// says something else.
const idleTime = aloft.Duration(15 * time.Minute)

// hooks are the shell lines around the switch. First says that no release of the stage has succeeded yet.
func (p project) hooks(first bool) hooks {
	h := hooks{before: p.settings.Hooks.Predeploy, after: p.settings.Hooks.Postdeploy}
	if first {
		h.after = slices.Concat(p.settings.Hooks.Firstdeploy, h.after)
	}
	return h
}

// functions are what the plan for the source runs. A Procfile's release line joins the hooks before the switch.
func (p *project) functions(plan buildpack.Plan, tree fs.FS) ([]aloft.Function, error) {
	all, err := functions(p.settings, plan, tree)
	if err != nil {
		return nil, err
	}
	if line := plan.Workers[releaseProcess]; line != "" {
		p.settings.Hooks.Predeploy = append(slices.Clone(p.settings.Hooks.Predeploy), line)
	}
	return all, nil
}
