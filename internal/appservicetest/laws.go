package appservicetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/aloft-run/aloft"
)

// scribble changes everything r refers to.
func scribble(r *aloft.Release) {
	for name, value := range r.Config.Values {
		value[0] ^= 0xff
		r.Config.Values[name+"x"] = value
	}
	for i := range r.Functions {
		if len(r.Functions[i].Command) > 0 {
			r.Functions[i].Command[0] = "changed"
		}
		if r.Functions[i].Env != nil {
			r.Functions[i].Env["X"] = "changed"
		}
		r.Functions[i].Name = "changed"
	}
}

func testReturnedIsolation(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: []string{"a.example"}}))
	made, err := s.CreateRelease(ctx, sample(staging))
	must(t, err)
	scribble(&made)
	got, err := s.Release(ctx, staging, 1)
	must(t, err)
	scribble(&got)
	list, err := s.Releases(ctx, staging, 0)
	must(t, err)
	scribble(&list[0])
	wantRelease(t, s, staging, 1, aloft.Pending, "")

	stage := getStage(t, s, staging)
	stage.Domains[0] = "changed"
	stages, err := s.Stages(ctx, "web")
	must(t, err)
	stages[1].Domains[0] = "changed"
	if stage = getStage(t, s, staging); stage.Domains[0] != "a.example" {
		t.Error("a returned stage shares memory with the store")
	}
	app, err := s.App(ctx, "web")
	must(t, err)
	app.Key[0] ^= 0xff
	apps, err := s.Apps(ctx)
	must(t, err)
	apps[0].Key[0] ^= 0xff
	if app, err = s.App(ctx, "web"); err != nil || string(app.Key) != "key of web" {
		t.Errorf("a returned app shares memory with the store: %q, %v", app.Key, err)
	}
	digests, err := s.Digests(ctx)
	must(t, err)
	clear(digests)
	if digests, err = s.Digests(ctx); err != nil || len(digests) != 1 {
		t.Errorf("returned digests share memory with the store: %v, %v", digests, err)
	}
}

func testGivenIsolation(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	key := []byte("secret")
	must(t, s.CreateApp(ctx, aloft.App{Name: "other", Key: key}))
	key[0] = 'X'
	if app, err := s.App(ctx, "other"); err != nil || string(app.Key) != "secret" {
		t.Errorf("the store keeps the caller's key: %q, %v", app.Key, err)
	}
	domains := []string{"b.example", "a.example"}
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: domains}))
	if domains[0] != "b.example" {
		t.Error("UpdateStage sorted the caller's slice")
	}
	domains[0], domains[1] = "x.example", "y.example"
	if stage := getStage(t, s, staging); !slices.Equal(stage.Domains, []string{"a.example", "b.example"}) {
		t.Errorf("the store keeps the caller's domains: %v", stage.Domains)
	}
	input := sample(staging)
	_, err := s.CreateRelease(ctx, input)
	must(t, err)
	if !reflect.DeepEqual(input, sample(staging)) {
		t.Error("CreateRelease changed what it was given")
	}
	scribble(&input)
	wantRelease(t, s, staging, 1, aloft.Pending, "")
}

func testConcurrentCreate(t *testing.T, s aloft.AppService) {
	const goroutines, each = 8, 6
	staging := addWeb(t, s)
	var mu sync.Mutex
	var versions []int
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				made, err := s.CreateRelease(t.Context(), sample(staging))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				versions = append(versions, made.Version)
				mu.Unlock()
				if _, err := s.Releases(t.Context(), staging, 3); err != nil { // readers at the same time
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(versions)
	if len(slices.Compact(versions)) != goroutines*each || versions[0] != 1 {
		t.Errorf("versions %v, want 1 to %d, each once", versions, goroutines*each)
	}
}

func testConcurrentFinish(t *testing.T, s aloft.AppService) {
	staging := addWeb(t, s)
	version := addRelease(t, s, staging)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = s.FinishRelease(t.Context(), staging, version, []string{"", "failed"}[i%2]) })
	}
	wg.Wait()
	winner := slices.Index(errs, nil)
	for i, err := range errs {
		if i != winner {
			wantCode(t, "a later FinishRelease", err, aloft.Conflict)
		}
	}
	switch {
	case winner < 0:
		t.Fatal("nobody finished the release")
	case winner%2 == 0:
		wantRelease(t, s, staging, version, aloft.Succeeded, "")
	default:
		wantRelease(t, s, staging, version, aloft.Broken, "failed")
	}
}

func testCanceled(t *testing.T, s aloft.AppService) {
	staging := addWeb(t, s)
	version := addRelease(t, s, staging)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	live := aloft.Alias{StageRef: staging, Name: "live", Version: version}
	for name, call := range map[string]func() error{
		"CreateApp":     func() error { return s.CreateApp(ctx, aloft.App{Name: "late"}) },
		"App":           func() error { _, err := s.App(ctx, "web"); return err },
		"Apps":          func() error { _, err := s.Apps(ctx); return err },
		"DeleteApp":     func() error { return s.DeleteApp(ctx, "web") },
		"CreateStage":   func() error { return s.CreateStage(ctx, aloft.Stage{StageRef: ref("web", "late")}) },
		"Stage":         func() error { _, err := s.Stage(ctx, staging); return err },
		"Stages":        func() error { _, err := s.Stages(ctx, ""); return err },
		"UpdateStage":   func() error { return s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Stopped: true}) },
		"DeleteStage":   func() error { return s.DeleteStage(ctx, staging) },
		"CreateRelease": func() error { _, err := s.CreateRelease(ctx, sample(staging)); return err },
		"FinishRelease": func() error { return s.FinishRelease(ctx, staging, version, "") },
		"Release":       func() error { _, err := s.Release(ctx, staging, version); return err },
		"Releases":      func() error { _, err := s.Releases(ctx, staging, 0); return err },
		"Digests":       func() error { _, err := s.Digests(ctx); return err },
		"CreateAlias":   func() error { _, err := s.CreateAlias(ctx, live); return err },
		"UpdateAlias":   func() error { _, err := s.UpdateAlias(ctx, live); return err },
		"DeleteAlias":   func() error { return s.DeleteAlias(ctx, staging, "", "live") },
		"Aliases":       func() error { _, err := s.Aliases(ctx, staging); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended ctx: %v, want context.Canceled", name, err)
		}
	}
	wantRelease(t, s, staging, version, aloft.Pending, "")
	if stage := getStage(t, s, staging); stage.Stopped || stage.Current != 0 {
		t.Errorf("a canceled call changed the stage: %+v", stage)
	}
	wantStages(t, s, "", "web/production web/staging")
	if v := addRelease(t, s, staging); v != version+1 {
		t.Errorf("next version is %d, want %d", v, version+1)
	}
}
