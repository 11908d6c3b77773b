package deploy_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/engine/process"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/seal"
	"github.com/aloft-run/aloft/internal/standard"
)

// platform is a Platform that only remembers what it was told.
type platform struct {
	mu        sync.Mutex
	serving   map[aloft.StageRef]aloft.Release
	refuse    error               // Apply fails with it before commit
	unfit     error               // Check fails with it
	warnings  []string            // what Check tells
	blocked   chan struct{}       // if not nil, Apply waits for it before commit
	applied   chan struct{}       // if not nil, told when Apply begins
	ran       []string            // hook lines
	instances []aloft.Instance    // what Status says
	routed    map[string][]string // stage to domains
}

func (p *platform) AliasesChanged(aloft.StageRef) {}

func (p *platform) Check(context.Context, aloft.Release) ([]string, error) {
	return p.warnings, p.unfit
}

func (p *platform) Apply(ctx context.Context, r aloft.Release, _ aloft.Reporter, commit func(context.Context) error) error {
	if p.applied != nil {
		p.applied <- struct{}{}
	}
	if p.blocked != nil {
		select {
		case <-p.blocked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if p.refuse != nil {
		return p.refuse
	}
	if err := commit(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serving[r.StageRef] = r
	return nil
}

func (p *platform) Stop(_ context.Context, ref aloft.StageRef) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.serving, ref)
	return nil
}

func (p *platform) Remove(ctx context.Context, ref aloft.StageRef) error {
	return errors.Join(p.Stop(ctx, ref), ctx.Err()) // as the real one: it goes on when nobody waits any more
}

func (p *platform) Route(_ context.Context, stage aloft.Stage) error {
	p.routed[stage.String()] = stage.Domains
	return nil
}

func (p *platform) Status(context.Context, aloft.StageRef) (aloft.Status, error) {
	return aloft.Status{Instances: p.instances}, nil
}

func (p *platform) RunRelease(_ context.Context, _ aloft.Release, input aloft.RunInput) (int, error) {
	p.ran = append(p.ran, input.Command[len(input.Command)-1])
	if strings.Contains(input.Command[len(input.Command)-1], "false") {
		return 1, nil
	}
	return 0, nil
}

func (p *platform) Restore(_ context.Context, stages []aloft.Restored) error {
	for _, s := range stages {
		p.serving[s.Stage.StageRef] = s.Release
	}
	return nil
}

// plain is a buildpack for tests: an app with a file named "run" that may need the build steps of a file named "steps".
type plain struct{}

func (plain) Name() string     { return "plain" }
func (plain) LooksFor() string { return "a file named run" }

func (plain) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	if found, _ := fs.Glob(src, "run"); len(found) == 0 {
		return buildpack.Plan{}, false, nil
	}
	plan := buildpack.Plan{Why: "there is a file named run", Start: "./run"}
	steps, _ := fs.ReadFile(src, "steps")
	for line := range strings.Lines(string(steps)) {
		line = strings.TrimSpace(line)
		plan.Steps = append(plan.Steps, buildpack.Step{Name: line, Command: []string{"/bin/sh", "-c", line}})
	}
	return plan, true, nil
}

// events is a Reporter that keeps what it gets.
type events struct {
	mu  sync.Mutex
	all []aloft.Event
}

func (e *events) Report(event aloft.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, event := range e.all {
		switch v := event.(type) {
		case aloft.Output:
			b.WriteString(v.Text + "\n")
		case aloft.Notice:
			b.WriteString("notice: " + v.Text + "\n")
		case aloft.Warning:
			b.WriteString("warning: " + v.Text + "\n")
		}
	}
	return b.String()
}

// bench is a Deployer over fakes, with an app directory.
type bench struct {
	*deploy.Deployer
	platform *platform
	apps     *mem.Store
	store    *artifact.Store
	dir      string
	events   *events
}

var production = aloft.StageRef{App: "shop", Stage: aloft.Production}

func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	store, err := artifact.Open(filepath.Join(t.TempDir(), "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		platform: &platform{serving: map[aloft.StageRef]aloft.Release{}, routed: map[string][]string{}},
		apps:     &mem.Store{}, store: store, dir: t.TempDir(), events: &events{},
	}
	b.Deployer = deploy.New(deploy.Options{
		Apps: b.apps, Platform: b.platform, Artifacts: store, Buildpacks: []buildpack.Buildpack{plain{}}, Sources: standard.EventSources(standard.Sourced{}),
		Engine: process.New(t.TempDir()), Sealer: keys, Logs: noLogs{},
		URL: func(ref aloft.StageRef) string { return "http://" + ref.Label() + ".test" },
		Dir: t.TempDir(), BuildEnv: []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
	})
	b.write(t, files)
	return b
}

type noLogs struct{}

func (noLogs) Append(aloft.StageRef, aloft.LogLine) {}

func (noLogs) Delete(aloft.StageRef) error { return nil }

func (b *bench) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(b.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bench) input() aloft.DeployInput {
	return aloft.DeployInput{Stage: production, Dir: b.dir, Author: "ada"}
}

func (b *bench) up(t *testing.T) aloft.Deployment {
	t.Helper()
	d, err := b.Deploy(t.Context(), b.input(), b.events)
	if err != nil {
		t.Fatalf("deploy: %v\n%s", err, b.events.text())
	}
	return d
}

// fails asserts an error's code and what it says.
func fails(t *testing.T, err error, code aloft.Code, says ...string) *aloft.Error {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error is %v (code %s), want code %s", err, aloft.ErrorCode(err), code)
	}
	for _, s := range says {
		if !strings.Contains(e.Message+"\n"+e.Hint+"\n"+e.Detail, s) {
			t.Errorf("error does not say %q:\n%s\n%s\n%s", s, e.Message, e.Hint, e.Detail)
		}
	}
	return e
}

func TestDeployMakesReleases(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	first := b.up(t)
	if first.Release.Version != 1 || first.Release.Status != aloft.Succeeded || first.URL != "http://shop.test" {
		t.Errorf("first deploy: %+v", first)
	}
	if !b.store.Has(first.Release.Artifact.Digest) {
		t.Error("the artifact is not in the store")
	}
	again := b.up(t)
	if !again.Unchanged || again.Release.Version != 1 || !again.Build.Cached {
		t.Errorf("an unchanged deploy made v%d, unchanged %v, cached %v", again.Release.Version, again.Unchanged, again.Build.Cached)
	}
	forced := b.input()
	forced.Force = true
	d, err := b.Deploy(t.Context(), forced, b.events)
	if err != nil || d.Unchanged || d.Release.Version != 2 || d.Release.Artifact != first.Release.Artifact {
		t.Errorf("forced deploy: %v %+v", err, d)
	}
	b.write(t, map[string]string{"run": "two"})
	if changed := b.up(t); changed.Release.Version != 3 || changed.Release.Artifact == first.Release.Artifact {
		t.Errorf("a changed deploy: %+v", changed.Release)
	}
}

func TestFailedApplyChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	b.write(t, map[string]string{"run": "two"})
	b.platform.refuse = aloft.Errorf(aloft.Failed, "it never listens")
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Failed, "never listens")
	stage, err := b.apps.Stage(t.Context(), production)
	if err != nil || stage.Current != 1 || b.platform.serving[production].Version != 1 {
		t.Errorf("current is v%d, serving v%d, %v", stage.Current, b.platform.serving[production].Version, err)
	}
	release, err := b.apps.Release(t.Context(), production, 2)
	if err != nil || release.Status != aloft.Broken || release.Reason != "it never listens" {
		t.Errorf("v2 is %+v, %v", release, err)
	}
	b.platform.refuse = nil
	if d := b.up(t); d.Release.Version != 3 {
		t.Errorf("the same command again made v%d", d.Release.Version)
	}
}

func TestBuildSteps(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"run": "x", "steps": "echo built > made\necho some output\n", "aloft.yml": "hooks: {postbuild: echo hooked >> made, clean: rm made}\n",
	})
	d := b.up(t)
	if got := b.shipped(t, d, "made"); got != "built\nhooked\n" {
		t.Errorf("made holds %q", got)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "made")); err == nil {
		t.Error("the build wrote into the user's directory")
	}
	if !strings.Contains(b.events.text(), "some output\n") {
		t.Errorf("output is not reported:\n%s", b.events.text())
	}
	if d := b.up(t); !d.Build.Cached || !d.Unchanged {
		t.Error("an unchanged source was built again")
	}
}

// shipped returns a file of a deployment's artifact.
func (b *bench) shipped(t *testing.T, d aloft.Deployment, name string) string {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "tree")
	if err := b.store.Extract(t.Context(), d.Release.Artifact.Digest, dst); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dst, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFailedBuildReleasesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "x", "steps": "echo line of the tool; exit 3"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Failed, "exit status 3", "line of the tool")
	if _, err := b.apps.App(t.Context(), "shop"); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("a failed first build left an app: %v", err)
	}
	b.write(t, map[string]string{"steps": "no-such-program-here"})
	_, err = b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Failed, "exit status 127")
}

func TestCanceledBuild(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "x", "steps": "echo started; sleep 60"})
	ctx, cancel := context.WithCancel(t.Context())
	report := reporterFunc(func(e aloft.Event) {
		if o, ok := e.(aloft.Output); ok && o.Text == "started" {
			cancel()
		}
	})
	_, err := b.Deploy(ctx, b.input(), report)
	fails(t, err, aloft.Canceled)
}

type reporterFunc func(aloft.Event)

func (f reporterFunc) Report(e aloft.Event) { f(e) }

func TestDeploysOfOneStageWait(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.platform.applied, b.platform.blocked = make(chan struct{}, 2), make(chan struct{})
	results := make(chan error, 2)
	go func() {
		_, err := b.Deploy(t.Context(), b.input(), aloft.Discard{})
		results <- err
	}()
	<-b.platform.applied
	waiting := make(chan struct{})
	go func() {
		_, err := b.Deploy(t.Context(), b.input(), reporterFunc(func(e aloft.Event) {
			if n, ok := e.(aloft.Notice); ok && strings.Contains(n.Text, "waiting") {
				close(waiting)
			}
		}))
		results <- err
	}()
	<-waiting
	close(b.platform.blocked)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if releases, _ := b.apps.Releases(t.Context(), production, 0); len(releases) != 1 {
		t.Errorf("%d releases, want one and an unchanged deploy", len(releases))
	}
}

func TestHooksAroundTheSwitch(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "hooks: {predeploy: migrate, postdeploy: notify}\n"})
	b.up(t)
	if got := strings.Join(b.platform.ran, " "); got != "migrate notify" {
		t.Errorf("hooks ran: %q", got)
	}
	b.write(t, map[string]string{"run": "two", "aloft.yml": "hooks: {predeploy: 'false'}\n"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Failed, "predeploy", "exit status 1")
	if b.platform.serving[production].Version != 1 {
		t.Error("a release whose predeploy hook failed serves")
	}
}

func TestBadProjects(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"other": "x"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no app found", "a file named run")
	input := b.input()
	input.Dir = filepath.Join(b.dir, "other")
	_, err = b.Deploy(t.Context(), input, b.events)
	fails(t, err, aloft.Invalid, "not a directory")
	input.Dir = filepath.Join(b.dir, "missing")
	_, err = b.Deploy(t.Context(), input, b.events)
	fails(t, err, aloft.Invalid)
	b.write(t, map[string]string{"run": "x", "aloft.yml": "title: shop\n"})
	_, err = b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "aloft.yml:1:1")
	b.write(t, map[string]string{"aloft.yml": ""})
	input = b.input()
	input.Stage.Stage = "Not a stage"
	_, err = b.Deploy(t.Context(), input, b.events)
	fails(t, err, aloft.Invalid, "stage name")
}
