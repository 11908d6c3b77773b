package deploy_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
)

func (b *bench) set(t *testing.T, pairs map[string]string) aloft.Deployment {
	t.Helper()
	d, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Set: pairs}, b.events)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (b *bench) config(t *testing.T) aloft.Config {
	t.Helper()
	c, err := b.Config(t.Context(), production)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRollbackRestoresCodeAndConfig: a rollback brings back everything a release held.
func TestRollbackRestoresCodeAndConfig(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "env: {LEVEL: info}\n"})
	b.up(t)
	b.set(t, map[string]string{"A": "1"})
	old := b.platform.serving[production]
	b.write(t, map[string]string{"run": "two", "aloft.yml": "env: {LEVEL: debug}\n"})
	b.up(t)
	b.set(t, map[string]string{"A": "2", "B": "3"})
	d, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 2}, b.events)
	if err != nil {
		t.Fatal(err)
	}
	if d.Release.Version != 5 || d.Release.Kind != aloft.RollbackRelease || d.Release.Description != "rollback to v2" {
		t.Errorf("rollback made %+v", d.Release)
	}
	if d.Release.Artifact != old.Artifact || d.Release.Functions[0].Env["LEVEL"] != "info" {
		t.Errorf("code or functions are not the old ones: %+v", d.Release)
	}
	if c := b.config(t); !maps.Equal(c, aloft.Config{"A": "1"}) {
		t.Errorf("config has %v", c)
	}
	if again, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events); err != nil || again.Release.Description != "rollback to v4" {
		t.Errorf("rollback without a version: %+v, %v", again.Release, err)
	}
}

func TestBadRollbacks(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	rollback := func(version int) error {
		_, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: version}, b.events)
		return err
	}
	fails(t, rollback(0), aloft.NotFound)
	b.up(t)
	fails(t, rollback(0), aloft.NotFound, "no release before v1")
	fails(t, rollback(1), aloft.Invalid, "current release already")
	fails(t, rollback(9), aloft.NotFound, "v9", "v1")
	b.platform.refuse = aloft.Errorf(aloft.Failed, "no")
	b.write(t, map[string]string{"run": "two"})
	if _, err := b.Deploy(t.Context(), b.input(), b.events); err == nil {
		t.Fatal("the deploy succeeded")
	}
	b.platform.refuse = nil
	fails(t, rollback(2), aloft.Invalid, "never served")
	b.up(t)
	if _, _, err := b.store.Collect(t.Context(), nil, 0); err != nil {
		t.Fatal(err)
	}
	fails(t, rollback(1), aloft.Internal, "missing")
}

// TestRollbackNeedsCode: config that was set before the first deploy is nothing to return to, for it has no code to run.
func TestRollbackNeedsCode(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.set(t, map[string]string{"EARLY": "yes"})
	b.up(t)
	for version, want := range map[int]aloft.Code{0: aloft.NotFound, 1: aloft.Invalid} {
		_, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: version}, b.events)
		fails(t, err, want)
	}
}

func TestConfigChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	before := b.set(t, map[string]string{"EARLY": "yes"})
	if before.Release.Version != 1 || before.Release.Artifact.Digest != "" {
		t.Errorf("config before the first deploy: %+v", before.Release)
	}
	b.up(t)
	if c := b.config(t); c["EARLY"] != "yes" {
		t.Error("the first deploy lost the config")
	}
	if d := b.set(t, map[string]string{"EARLY": "yes"}); !d.Unchanged {
		t.Errorf("setting the same value made v%d", d.Release.Version)
	}
	d := b.set(t, map[string]string{"B": "2", "A": "1"})
	if d.Release.Description != "set A, B" || d.Release.Artifact.Digest == "" {
		t.Errorf("release %+v", d.Release)
	}
	d, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Unset: []string{"A", "NEVER"}}, b.events)
	if err != nil || d.Release.Description != "unset A" {
		t.Errorf("unset: %+v, %v", d.Release, err)
	}
	d, err = b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Clear: true}, b.events)
	if err != nil || d.Release.Description != "unset B, EARLY" || len(b.config(t)) != 0 {
		t.Errorf("clear: %+v, %v", d.Release, err)
	}
	for _, bad := range []map[string]string{{"1A": "x"}, {"PORT": "80"}, {"A B": "x"}, {"A": "\x00"}, {"A": string(make([]byte, 200<<10))}} {
		_, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Set: bad}, b.events)
		fails(t, err, aloft.Invalid)
	}
	half := strings.Repeat("x", 100<<10)
	b.set(t, map[string]string{"A": half})
	_, err = b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Set: map[string]string{"B": half}}, b.events)
	fails(t, err, aloft.Invalid, "variables take")
	_, err = b.Configure(t.Context(), aloft.ConfigInput{Stage: aloft.StageRef{App: "other", Stage: "staging"}, Unset: []string{"A"}}, b.events)
	fails(t, err, aloft.NotFound)
}

func TestGeneratedAndRequiredVariables(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"run": "one", "app.json": `{"env": {"SECRET": {"generator": "secret"}, "TOKEN": {"required": true}}}`,
	})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "TOKEN", "aloft config set TOKEN=")
	b.set(t, map[string]string{"TOKEN": "t"})
	b.up(t)
	secret := b.config(t)["SECRET"]
	if len(secret) != 64 {
		t.Errorf("the generated secret has %d characters", len(secret))
	}
	b.write(t, map[string]string{"run": "two"})
	b.up(t)
	if b.config(t)["SECRET"] != secret {
		t.Error("the secret was generated again")
	}
}

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	plan, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil || len(plan.Changes) != 4 || plan.Changes[0].Kind != "stage" {
		t.Fatalf("first plan: %+v, %v", plan.Changes, err)
	}
	if apps, _ := b.apps.Apps(t.Context()); len(apps) != 0 {
		t.Error("a plan made an app")
	}
	b.up(t)
	plan, err = b.Plan(t.Context(), b.input(), b.events)
	if err != nil || len(plan.Changes) != 0 || plan.Current != 1 {
		t.Errorf("plan of an unchanged project: %+v, %v", plan.Changes, err)
	}
	b.write(t, map[string]string{"aloft.yml": "env: {SECRETISH: hush}\n"})
	changed, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil || changed.ID == plan.ID {
		t.Fatalf("plan id did not change: %v", err)
	}
	kinds := []string{}
	for _, c := range changed.Changes {
		kinds = append(kinds, string(c.Action)+" "+c.Kind+" "+c.Name)
	}
	if want := []string{"modify code artifact", "add env web.SECRETISH"}; !slices.Equal(kinds, want) {
		t.Errorf("changes %q, want %q", kinds, want)
	}
}

func TestStopAndDeployAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	if err := b.Stop(t.Context(), production); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.platform.serving[production]; ok {
		t.Error("it still serves")
	}
	if d := b.up(t); !d.Unchanged || d.Release.Version != 1 || b.platform.serving[production].Version != 1 {
		t.Errorf("up of a stopped, unchanged stage: %+v", d.Release)
	}
	if stage, err := b.apps.Stage(t.Context(), production); err != nil || stage.Stopped {
		t.Errorf("it is still stopped: %v", err)
	}
}

func TestDestroyFreesEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "steps": "true"})
	digest := b.up(t).Release.Artifact.Digest
	other := b.input()
	other.Stage.Stage = "staging"
	if _, err := b.Deploy(t.Context(), other, b.events); err != nil {
		t.Fatal(err)
	}
	if err := b.Destroy(t.Context(), production); err != nil {
		t.Fatal(err)
	}
	if !b.store.Has(digest) {
		t.Error("an artifact that another stage needs is gone")
	}
	if err := b.Destroy(t.Context(), aloft.StageRef{App: "shop"}); err != nil {
		t.Fatal(err)
	}
	if b.store.Has(digest) || len(b.platform.serving) != 0 {
		t.Error("something is left")
	}
	if apps, _ := b.apps.Apps(t.Context()); len(apps) != 0 {
		t.Error("the app is left")
	}
	if left, _ := filepath.Glob(filepath.Join(b.Dir, "cache", "*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	fails(t, b.Destroy(t.Context(), aloft.StageRef{App: "shop"}), aloft.NotFound)
}

func TestDomains(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	stage, err := b.SetDomains(t.Context(), production, []string{"WWW.Example.com.", "example.com"})
	if want := []string{"example.com", "www.example.com"}; err != nil || !slices.Equal(stage.Domains, want) {
		t.Errorf("domains %q, %v", stage.Domains, err)
	}
	if !slices.Equal(b.platform.routed["shop/production"], stage.Domains) {
		t.Error("the platform was not told")
	}
	for _, bad := range []string{"", "shop", "127.0.0.1", "[::1]", "a.localhost", "ex ample.com", "-a.com", "a..com", "*.example.com", "exämple.com"} {
		_, err := b.SetDomains(t.Context(), production, []string{bad})
		fails(t, err, aloft.Invalid)
	}
}

// TestRestore: what an earlier server left half done is cleared up, and what it served serves again.
func TestRestore(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	pending, err := b.apps.CreateRelease(t.Context(), aloft.Release{StageRef: production})
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(b.Dir, "builds", "shop-1")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	clear(b.platform.serving)
	if err := b.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.platform.serving[production].Version != 1 {
		t.Error("the app does not serve again")
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("a build directory is left")
	}
	if r, err := b.apps.Release(t.Context(), production, pending.Version); err != nil || r.Status != aloft.Broken {
		t.Errorf("the pending release is %s, %v", r.Status, err)
	}
}

// TestArtifactsOfRunningDeploysAreKept: a collection between the storing of an artifact and its release takes nothing.
func TestArtifactsOfRunningDeploysAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	ref := aloft.StageRef{App: "doomed", Stage: "staging"}
	if _, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: ref, Set: map[string]string{"A": "1"}}, b.events); err != nil {
		t.Fatal(err)
	}
	put := b.Put
	b.Put = func(ctx context.Context, archive *artifact.Archive) (aloft.Artifact, error) {
		a, err := put(ctx, archive)
		if err == nil {
			err = b.Destroy(ctx, ref)
		}
		return a, err
	}
	if d := b.up(t); !b.store.Has(d.Release.Artifact.Digest) {
		t.Error("the artifact of a release was collected")
	}
}

// TestDeployOfWhatCrashedIsANewTry: "nothing changed" would be no help to someone whose app is down.
func TestDeployOfWhatCrashedIsANewTry(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	b.platform.instances = []aloft.Instance{{State: aloft.Crashed, Release: 1}, {State: aloft.Ready, Release: 1}}
	if d := b.up(t); !d.Unchanged {
		t.Errorf("with an instance that serves it made v%d", d.Release.Version)
	}
	b.platform.instances = []aloft.Instance{{State: aloft.Crashed, Release: 1}, {State: aloft.Ready, Release: 7}} // v7 was invoked by its number
	if d := b.up(t); d.Unchanged || d.Release.Version != 2 {
		t.Errorf("with nothing that serves: v%d, unchanged %v", d.Release.Version, d.Unchanged)
	}
}
