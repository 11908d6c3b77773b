package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// hooked is an AppService that calls back at the steps of a Destroy.
type hooked struct {
	aloft.AppService
	deleted func() // a stage was deleted
	listed  func() // the stages of an app were listed
}

func (h *hooked) DeleteStage(ctx context.Context, ref aloft.StageRef) error {
	defer h.deleted()
	return h.AppService.DeleteStage(ctx, ref)
}

func (h *hooked) Stages(ctx context.Context, app string) ([]aloft.Stage, error) {
	defer h.listed()
	return h.AppService.Stages(ctx, app)
}

// TestDestroyOfACallerWhoLeaves: what a stage held is freed though its caller went away once the stage was deleted.
func TestDestroyOfACallerWhoLeaves(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	digest := b.up(t).Release.Artifact.Digest
	ctx, cancel := context.WithCancel(t.Context())
	b.Apps = &hooked{b.Apps, cancel, func() {}}
	if err := b.Destroy(ctx, production); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if apps, _ := b.apps.Apps(t.Context()); len(apps) != 0 {
		t.Error("the app is left")
	}
	if b.store.Has(digest) {
		t.Error("the artifact is left")
	}
}

// TestIndexesAreBounded: deploys from ever new directories do not fill the disk.
func TestIndexesAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	dir := filepath.Join(b.Dir, "index")
	fresh, err := os.ReadDir(dir)
	if err != nil || len(fresh) != 1 {
		t.Fatalf("%v, %v", fresh, err)
	}
	old := time.Now().Add(-time.Hour)
	for i := range 300 {
		name := filepath.Join(dir, fmt.Sprint("old-", i))
		if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chtimes(name, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Destroy(t.Context(), aloft.StageRef{App: production.App}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 250 || !slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() == fresh[0].Name() }) {
		t.Errorf("%d indexes are left, %v", len(left), err)
	}
}

// TestRecordsOfBuildsGoWithTheirArtifacts: what is remembered of builds does not pile up.
func TestRecordsOfBuildsGoWithTheirArtifacts(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	records := func() []string {
		all, _ := filepath.Glob(filepath.Join(b.Dir, "records", "*"))
		return all
	}
	if len(records()) != 1 {
		t.Fatalf("records %q", records())
	}
	other := b.input()
	other.Stage.App = "other"
	if _, err := b.Deploy(t.Context(), other, b.events); err != nil {
		t.Fatal(err)
	}
	if err := b.Destroy(t.Context(), other.Stage); err != nil || len(records()) != 1 {
		t.Errorf("the other app's build is forgotten: %q, %v", records(), err)
	}
	if err := b.Destroy(t.Context(), production); err != nil || len(records()) != 0 {
		t.Errorf("left: %q, %v", records(), err)
	}
}

// TestDestroyBesideAFirstDeploy: the app that lost its last stage is not deleted together with one that it just got.
func TestDestroyBesideAFirstDeploy(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	b.up(t)
	staging := aloft.StageRef{App: "shop", Stage: "staging"}
	done := make(chan error, 1)
	b.Apps = &hooked{b.Apps, func() {}, func() {
		go func() {
			_, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: staging, Set: map[string]string{"A": "1"}}, b.events)
			done <- err
		}()
		select { // the list is old now, if the other may change it
		case err := <-done:
			done <- err
		case <-time.After(200 * time.Millisecond):
		}
	}}
	if err := b.Destroy(t.Context(), production); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := b.apps.Release(t.Context(), staging, 1); err != nil {
		t.Errorf("an acknowledged release is lost: %v", err)
	}
}
