// Package apitest holds Fake, all services behind the API in memory, for the tests of package api and of those who speak to
// it. It deploys nothing: what a deploy does is written in the names of the files of its source (see Fake).
package apitest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/record"
)

// Fake implements the services. A source with a file "fail" fails to build, one with "slow" builds until it is canceled, one
// with "late" succeeds though it is canceled. The zero value is ready to use.
type Fake struct {
	mu     sync.Mutex
	stages map[aloft.StageRef]*stage
}

type stage struct {
	aloft.Stage

	releases []aloft.Release // oldest first
	config   []aloft.Config  // of each release
	source   string
	aliases  []aloft.Alias
	dead     []aloft.DeadLetter
}

var (
	_ aloft.Deployer       = (*Fake)(nil)
	_ aloft.Promoter       = (*Fake)(nil)
	_ aloft.Operator       = (*Fake)(nil)
	_ aloft.Runner         = (*Fake)(nil)
	_ aloft.Invoker        = (*Fake)(nil)
	_ aloft.AliasStore     = (*Fake)(nil)
	_ aloft.AsyncService   = (*Fake)(nil)
	_ aloft.LogService     = (*Fake)(nil)
	_ aloft.ResourceLister = (*Fake)(nil)
	_ aloft.ReleaseStore   = (*Fake)(nil)
)

// Services returns what api.New takes. Stop is called when a client stops the server.
func (f *Fake) Services(home string, stop func()) api.Services {
	records := record.New(filepath.Join(home, "records"), f.checkFunction)
	return api.Services{
		Recorder: records, TestEvents: records, Resources: f, EventSources: f.EventSources,
		Deployer: f, Promoter: f, Operator: f, Releases: f, Runner: f, Invoker: f, Aliases: f, Async: f, Logs: f, Shutdown: stop, Check: func(context.Context) error { return nil },
		Server: api.ServerInfo{
			Version: "fake", PID: os.Getpid(), Home: home, HTTP: "127.0.0.1:7070", Isolation: "none: this is a fake",
			StartedAt: time.Now(),
		},
	}
}

// checkFunction lets every stage have the function "create".
func (f *Fake) checkFunction(_ context.Context, ref aloft.StageRef, function string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.find(ref); err != nil {
		return err
	}
	if function != "create" {
		return aloft.Errorf(aloft.NotFound, "there is no function %q", function)
	}
	return nil
}

// Deploy implements aloft.Deployer.
func (f *Fake) Deploy(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
	build, err := f.Build(ctx, input, report)
	if err != nil {
		return aloft.Deployment{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stages[build.Stage]
	if s != nil && s.source == build.Source && !input.Force {
		return aloft.Deployment{Release: s.releases[len(s.releases)-1], URL: f.url(s), Build: build, Unchanged: true}, nil
	}
	if s == nil {
		s = f.create(build.Stage)
	}
	s.source = build.Source
	release := f.append(s, aloft.Release{
		Kind: aloft.DeployRelease, Artifact: build.Artifact, Buildpack: build.Buildpack, Functions: build.Functions,
		Author: input.Author, Commit: input.Commit, Description: input.Description,
	}, s.current())
	for _, step := range []string{aloft.StepRelease, aloft.StepStart, aloft.StepReady} {
		report.Report(aloft.StepStarted{Step: step})
		report.Report(aloft.StepDone{Step: step, Text: fmt.Sprintf("v%d", release.Version), Elapsed: time.Millisecond})
	}
	return aloft.Deployment{Release: release, URL: f.url(s), Isolation: "none", Build: build, Elapsed: 2 * time.Millisecond}, nil
}

// Build implements aloft.Deployer.
func (f *Fake) Build(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Build, error) {
	ref := input.Stage
	if ref.App == "" {
		ref.App = strings.ToLower(filepath.Base(input.Dir))
	}
	entries, err := os.ReadDir(input.Dir)
	if err != nil || len(entries) == 0 {
		return aloft.Build{}, aloft.Errorf(aloft.Invalid, "no app found in %s", input.Dir).WithHint("looked for ./server")
	}
	report.Report(aloft.StepStarted{Step: aloft.StepDetect})
	report.Report(aloft.StepDone{Step: aloft.StepDetect, Text: "server (./server is executable)", Elapsed: time.Millisecond})
	report.Report(aloft.StepStarted{Step: aloft.StepBuild, Text: "make"})
	report.Report(aloft.Output{Step: aloft.StepBuild, Text: "compiling \x1b[31mthings\x1b[0m"})
	var source []string
	for _, e := range entries {
		switch e.Name() {
		case "fail":
			report.Report(aloft.Output{Step: aloft.StepBuild, Text: "error: it does not compile"})
			return aloft.Build{}, aloft.Errorf(aloft.Failed, "make ended with status 2").WithHint("mend the build").
				WithDetail("error: it does not compile")
		case "slow", "late":
			report.Report(aloft.Notice{Text: "waiting"})
			<-ctx.Done()
			if e.Name() == "slow" {
				return aloft.Build{}, fmt.Errorf("build: %w", ctx.Err())
			}
		}
		data, _ := os.ReadFile(filepath.Join(input.Dir, e.Name()))
		source = append(source, e.Name()+"="+string(data))
	}
	report.Report(aloft.Warning{Text: "aloft.yml: unknown key \"nam\""})
	report.Report(aloft.StepDone{Step: aloft.StepBuild, Elapsed: time.Millisecond})
	return aloft.Build{
		Stage: ref, Artifact: aloft.Artifact{Digest: fmt.Sprintf("%064x", len(entries)), Size: 1234, Files: len(entries)},
		Source: strings.Join(source, ";"), Buildpack: "server", Why: "./server is executable", Elapsed: time.Millisecond,
		Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./server"}, Env: map[string]string{"FROM_SOURCE": "canary"}}},
		Largest:   []aloft.PathSize{{Path: "node_modules", Size: 1000}},
	}, nil
}

// Plan implements aloft.Deployer.
func (f *Fake) Plan(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Plan, error) {
	build, err := f.Build(ctx, input, report)
	if err != nil {
		return aloft.Plan{}, err
	}
	return aloft.Plan{ID: "p1", Stage: build.Stage, Build: build, Changes: []aloft.Change{
		{Action: aloft.Add, Kind: "stage", Name: build.Stage.String()},
		{Action: aloft.Modify, Kind: "code", Name: "artifact", Before: "a", After: "b"},
		{Action: aloft.Remove, Kind: "function", Name: "worker"},
	}}, nil
}

// Rollback implements aloft.Deployer.
func (f *Fake) Rollback(_ context.Context, input aloft.RollbackInput, _ aloft.Reporter) (aloft.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(input.Stage)
	if err != nil {
		return aloft.Deployment{}, err
	}
	version := input.Version
	if version == 0 {
		version = len(s.releases) - 1
	}
	if version < 1 || version > len(s.releases) {
		return aloft.Deployment{}, aloft.Errorf(aloft.NotFound, "%s has no release v%d", input.Stage, version)
	}
	old := s.releases[version-1]
	old.Kind, old.Author, old.Description = aloft.RollbackRelease, input.Author, fmt.Sprintf("rollback to v%d", version)
	return aloft.Deployment{Release: f.append(s, old, s.config[version-1]), URL: f.url(s)}, nil
}

// Configure implements aloft.Deployer.
func (f *Fake) Configure(_ context.Context, input aloft.ConfigInput, _ aloft.Reporter) (aloft.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stages[input.Stage]
	if s == nil {
		s = f.create(input.Stage)
	}
	next := maps.Clone(s.current())
	if next == nil || input.Clear {
		next = aloft.Config{}
	}
	maps.Copy(next, input.Set)
	for _, name := range input.Unset {
		if _, ok := next[name]; !ok {
			return aloft.Deployment{}, aloft.Errorf(aloft.NotFound, "no variable %s is set", name)
		}
		delete(next, name)
	}
	if len(s.releases) > 0 && maps.Equal(next, s.current()) {
		return aloft.Deployment{Release: s.releases[len(s.releases)-1], URL: f.url(s), Unchanged: true}, nil
	}
	release := aloft.Release{}
	if len(s.releases) > 0 {
		release = s.releases[len(s.releases)-1]
	}
	release.Kind, release.Description = aloft.ConfigRelease, "config"
	return aloft.Deployment{Release: f.append(s, release, next), URL: f.url(s)}, nil
}

// Tune implements aloft.Deployer. It sets and ignores Reset.
func (f *Fake) Tune(_ context.Context, input aloft.TuneInput, _ aloft.Reporter) (aloft.Deployment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.find(input.Stage)
	if err != nil {
		return aloft.Deployment{}, err
	}
	release := s.releases[len(s.releases)-1].Clone()
	release.Kind, release.Description, release.Tuning = aloft.TuneRelease, "tune", input.Set
	return aloft.Deployment{Release: f.append(s, release, s.current()), URL: f.url(s)}, nil
}

func (s *stage) current() aloft.Config {
	if len(s.config) == 0 {
		return nil
	}
	return s.config[len(s.config)-1]
}

func (f *Fake) create(ref aloft.StageRef) *stage {
	s := &stage{Stage: aloft.Stage{StageRef: ref, CreatedAt: time.Now()}}
	if f.stages == nil {
		f.stages = map[aloft.StageRef]*stage{}
	}
	f.stages[ref] = s
	return s
}

func (f *Fake) append(s *stage, r aloft.Release, config aloft.Config) aloft.Release {
	r.StageRef, r.Version, r.Status, r.CreatedAt = s.StageRef, len(s.releases)+1, aloft.Succeeded, time.Now()
	r.Config = aloft.SealedConfig{Version: r.Version, Values: map[string][]byte{}}
	for name := range config {
		r.Config.Values[name] = []byte("sealed canary")
	}
	s.releases = append(s.releases, r.Clone())
	s.config = append(s.config, maps.Clone(config))
	s.Current, s.Stopped = r.Version, false
	return r
}

func (f *Fake) find(ref aloft.StageRef) (*stage, error) {
	if s := f.stages[ref]; s != nil {
		return s, nil
	}
	return nil, aloft.Errorf(aloft.NotFound, "there is no stage %s", ref)
}

func (f *Fake) url(s *stage) string { return "http://" + s.Label() + ".localhost:7070" }

func (f *Fake) refs() []aloft.StageRef {
	return slices.SortedFunc(maps.Keys(f.stages), func(a, b aloft.StageRef) int { return strings.Compare(a.String(), b.String()) })
}
