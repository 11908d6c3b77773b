package s3_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

// TestLockedReads: who holds the lock of a stage reads each object once, and sees its own writes.
func TestLockedReads(t *testing.T) {
	t.Parallel()
	config := fake(t)
	name, clean := served(t, config)
	bucket, seen := watched(config, name)
	store, ctx := s3.NewStore(bucket, "ada"), t.Context()
	if _, err := store.Stage(ctx, web); err != nil { // what is read before the lock is read again
		t.Fatal(err)
	}
	_, err := clean.CreateRelease(ctx, change(web, "bob"))
	check(t, "CreateRelease", err)
	check(t, "FinishRelease", clean.FinishRelease(ctx, web, 2, ""))
	_, unlock := mustLock(t, store)
	for _, step := range []struct {
		what       string
		do         func() error
		gets, puts int
	}{
		{"Stage", func() error { return wantCurrent(t, store, 2) }, 2, 0},
		{"Stage", func() error { return wantCurrent(t, store, 2) }, 0, 0},
		{"App", func() error { _, err := store.App(ctx, web.App); return err }, 0, 0},
		{"Release", func() error { _, err := store.Release(ctx, web, 1); return err }, 1, 0},
		{"Releases", func() error { _, err := store.Releases(ctx, web, 0); return err }, 0, 0},
		{"CreateRelease", func() error { _, err := store.CreateRelease(ctx, change(web, "ada")); return err }, 0, 2},
		{"FinishRelease", func() error { return store.FinishRelease(ctx, web, 3, "") }, 0, 1},
		{"Stage", func() error { return wantCurrent(t, store, 3) }, 0, 0},
		{"Stages", func() error { _, err := store.Stages(ctx, ""); return err }, 1, 0},
	} {
		gets, puts := seen.count(http.MethodGet), seen.count(http.MethodPut)
		check(t, step.what, step.do())
		if gets, puts = seen.count(http.MethodGet)-gets, seen.count(http.MethodPut)-puts; gets != step.gets || puts != step.puts {
			t.Errorf("%s: %d GETs and %d PUTs, want %d and %d", step.what, gets, puts, step.gets, step.puts)
		}
	}
	unlock()
	check(t, "FinishRelease", finished(t, clean))
	check(t, "Stage", wantCurrent(t, store, 4))
}

// wantCurrent reads a stage, spoils what it got, and complains if another release is current.
func wantCurrent(t *testing.T, store *s3.Store, version int) error {
	t.Helper()
	stage, err := store.Stage(t.Context(), web)
	if err == nil && stage.Current != version {
		t.Errorf("v%d is current, want v%d", stage.Current, version)
	}
	release, releaseErr := store.Release(t.Context(), web, max(1, stage.Current))
	if releaseErr == nil && release.Author == "spoiled" {
		t.Error("what the store returned is what it has")
	}
	release.Author = "spoiled"
	return err
}

// finished makes one more release.
func finished(t *testing.T, store *s3.Store) error {
	t.Helper()
	made, err := store.CreateRelease(t.Context(), change(web, "more"))
	check(t, "CreateRelease", err)
	return store.FinishRelease(t.Context(), web, made.Version, "")
}

// TestLockedReadsOfOthers: a stage that others lock is read anew, also by who locks another one of the app; so is what others make.
func TestLockedReadsOfOthers(t *testing.T) {
	t.Parallel()
	config := fake(t)
	name, clean := served(t, config)
	bucket, _ := watched(config, name)
	store, ctx := s3.NewStore(bucket, "ada"), t.Context()
	next := aloft.StageRef{App: web.App, Stage: "next"}
	_, unlock, err := store.Lock(ctx, next, aloft.Discard{})
	check(t, "Lock", err)
	defer unlock()
	check(t, "Stage", wantCurrent(t, store, 1))
	if _, err := store.Stage(ctx, next); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("a stage that is not there: %v", err)
	}
	check(t, "FinishRelease", finished(t, clean))
	check(t, "Stage", wantCurrent(t, store, 2))
	check(t, "CreateStage", clean.CreateStage(ctx, aloft.Stage{StageRef: next}))
	_, err = store.Stage(ctx, next)
	check(t, "a stage that another made", err)
	domains := []string{"www.example.com"}
	check(t, "UpdateStage", clean.UpdateStage(ctx, aloft.Stage{StageRef: web, Domains: domains}))
	if stage, err := store.Stage(ctx, web); err != nil || len(stage.Domains) != 1 {
		t.Errorf("the domain that another gave a stage: %+v, %v", stage, err)
	}
	if err := store.UpdateStage(ctx, aloft.Stage{StageRef: next, Domains: domains}); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("a domain that another stage has: %v", err)
	}
	check(t, "UpdateStage", clean.UpdateStage(ctx, aloft.Stage{StageRef: web}))
	check(t, "a domain that another stage had", store.UpdateStage(ctx, aloft.Stage{StageRef: next, Domains: domains}))
	check(t, "UpdateStage", clean.UpdateStage(ctx, aloft.Stage{StageRef: web, Domains: []string{"shop.example.com"}}))
	_, unlockWeb := mustLock(t, store)
	defer unlockWeb()
	if stage, err := store.Stage(ctx, web); err != nil || len(stage.Domains) != 1 {
		t.Errorf("what was remembered before the lock: %+v, %v", stage, err)
	}
}

// TestBrokenLockWrites: what others wrote after they broke the lock is neither lost nor taken for what it was.
func TestBrokenLockWrites(t *testing.T) {
	t.Parallel()
	config := fake(t)
	name, bob := served(t, config)
	ada, _ := member(config, name, "ada@laptop (pid 1)")
	ctx := t.Context()
	held, unlock := mustLock(t, ada)
	defer unlock()
	made, err := ada.CreateRelease(ctx, change(web, "ada"))
	check(t, "CreateRelease", err)
	_, err = bob.Break(ctx, web)
	check(t, "Break", err)
	check(t, "FinishRelease", bob.FinishRelease(ctx, web, made.Version, "interrupted"))
	check(t, "FinishRelease", finished(t, bob))
	if err := ada.FinishRelease(ctx, web, made.Version, ""); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("finished though another did: %v", err)
	}
	again, err := ada.CreateRelease(ctx, change(web, "ada"))
	check(t, "CreateRelease", err)
	if again.Version != 4 {
		t.Errorf("made v%d over another's", again.Version)
	}
	select {
	case <-held.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the lock is not lost")
	}
	check(t, "FinishRelease", bob.FinishRelease(ctx, web, again.Version, ""))
	check(t, "Stage", wantCurrent(t, ada, 4)) // a lost lock keeps nobody from changing anything
}

// TestExists: the index that was read to see whether there is a bucket is not read again, once.
func TestExists(t *testing.T) {
	t.Parallel()
	config := fake(t)
	name, _ := served(t, config)
	bucket, seen := watched(config, name)
	store := s3.NewStore(bucket, "ada")
	there, err := bucket.Exists(t.Context())
	check(t, "Exists", err)
	for _, want := range []int{2, 4} {
		check(t, "Stage", wantStage(t, store))
		if n := seen.count(http.MethodGet); !there || n != want {
			t.Errorf("%d GETs, want %d", n, want)
		}
	}
}

func wantStage(t *testing.T, store *s3.Store) error {
	t.Helper()
	_, err := store.Stage(t.Context(), web)
	return err
}
