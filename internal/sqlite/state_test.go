package sqlite_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/sqlite"
)

var writeState = flag.Bool("write-state", false, "write testdata/state/v1.db; only for a schema that was never released")

var (
	staging = aloft.StageRef{App: "web", Stage: "staging"}
	moment  = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
)

func release(version int, status aloft.ReleaseStatus) aloft.Release {
	r := aloft.Release{
		StageRef: staging, Version: version, Kind: aloft.DeployRelease, Status: status, Author: "ann", CreatedAt: moment,
		Artifact:  aloft.Artifact{Digest: fmt.Sprint("d", version), Size: 5, Files: 6},
		Config:    aloft.SealedConfig{Version: version, Values: map[string][]byte{"A": {byte(version)}}},
		Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./server", "-v"}}},
	}
	if status == aloft.Broken {
		r.Reason = "it broke"
	}
	return r
}

// fill stores an app with two stages and 40 releases, of which the last is pending.
func fill(t *testing.T, s aloft.AppService) {
	t.Helper()
	ctx := t.Context()
	err := errors.Join(
		s.CreateApp(ctx, aloft.App{Name: "web", Key: []byte("key"), CreatedAt: moment}),
		s.CreateStage(ctx, aloft.Stage{StageRef: staging, CreatedAt: moment}),
		s.CreateStage(ctx, aloft.Stage{StageRef: aloft.StageRef{App: "web", Stage: aloft.Production}, CreatedAt: moment}),
	)
	for v := 1; v <= 40 && err == nil; v++ {
		_, err = s.CreateRelease(ctx, release(v, aloft.Pending))
		if v < 40 && err == nil {
			err = s.FinishRelease(ctx, staging, v, release(v, wantStatus(v)).Reason)
		}
	}
	if err = errors.Join(err, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Stopped: true, Domains: []string{"example.com"}})); err != nil {
		t.Fatal(err)
	}
}

func wantStatus(version int) aloft.ReleaseStatus {
	switch {
	case version == 40:
		return aloft.Pending
	case version%3 == 0:
		return aloft.Broken
	}
	return aloft.Succeeded
}

// verify compares with what fill stored.
func verify(t *testing.T, s aloft.AppService) {
	t.Helper()
	app, err := s.App(t.Context(), "web")
	if want := (aloft.App{Name: "web", Key: []byte("key"), CreatedAt: moment}); err != nil || !reflect.DeepEqual(app, want) {
		t.Errorf("App: %+v, %v", app, err)
	}
	stage, err := s.Stage(t.Context(), staging)
	want := aloft.Stage{StageRef: staging, Current: 38, Stopped: true, Domains: []string{"example.com"}, CreatedAt: moment}
	if err != nil || !reflect.DeepEqual(stage, want) {
		t.Errorf("Stage: %+v, %v", stage, err)
	}
	releases, err := s.Releases(t.Context(), staging, 0)
	if err != nil || len(releases) != 40 {
		t.Fatalf("Releases: %d, %v", len(releases), err)
	}
	for i, got := range releases {
		if want := release(40-i, wantStatus(40-i)); !reflect.DeepEqual(got, want) {
			t.Errorf("Release:\n got %+v\nwant %+v", got, want)
		}
	}
}

// TestOldState opens the database that each released schema left; testdata keeps them all.
func TestOldState(t *testing.T) {
	t.Parallel()
	if *writeState {
		path := filepath.Join("testdata", "state", "v1.db")
		_ = os.Remove(path)
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("testdata/state/v*.db")
	if err != nil || len(files) == 0 {
		t.Fatal("no state files", err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "aloft.db")
		write(t, path, content)
		s := openStore(t, path)
		verify(t, s)
		if _, err := s.CreateRelease(t.Context(), release(41, aloft.Pending)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// readAll opens the database and reads everything in it.
func readAll(t *testing.T, path string) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := t.Context()
	_, err = s.Apps(ctx)
	stages, stagesErr := s.Stages(ctx, "")
	_, digestsErr := s.Digests(ctx)
	if err = cmpErr(err, stagesErr, digestsErr); err != nil {
		return err
	}
	for _, stage := range stages {
		if _, err := s.Releases(ctx, stage.StageRef, 0); err != nil {
			return err
		}
		if _, err := s.Aliases(ctx, stage.StageRef); err != nil {
			return err
		}
	}
	return nil
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestDamage changes a database in 150 ways. Each must be refused with a coded error or give, for releases, exactly what
// was stored: nothing panics, and no release is served from a changed document.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "good.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused, harmless := 0, 0
	for i := range 150 {
		bad := mutate(random, good, i)
		path := filepath.Join(dir, fmt.Sprint(i, ".db"))
		write(t, path, bad)
		if err := readAll(t, path); err != nil {
			refused++
			if e, ok := errors.AsType[*aloft.Error](err); !ok || e.Hint == "" {
				t.Errorf("mutation %d: %v (%T); want an *aloft.Error that says what to do", i, err, err)
			}
			continue
		}
		harmless++
		compareReleases(t, path, i)
	}
	t.Logf("%d refused, %d harmless", refused, harmless)
	if refused < 50 {
		t.Errorf("only %d of 150 mutations were refused", refused)
	}
}

// mutate truncates every third copy, and flips single bits, bytes or a run of bytes in the others.
func mutate(random *rand.Rand, good []byte, i int) []byte {
	bad := append([]byte(nil), good...)
	at := random.IntN(len(bad))
	switch i % 3 {
	case 0:
		return bad[:at]
	case 1:
		for range 1 + random.IntN(40) {
			bad[random.IntN(len(bad))] ^= 1 << random.IntN(8)
		}
	default:
		for j := at; j < min(at+1+random.IntN(600), len(bad)); j++ {
			bad[j] = byte(random.Uint32())
		}
	}
	return bad
}

func compareReleases(t *testing.T, path string, mutation int) {
	t.Helper()
	s := openStore(t, path)
	releases, err := s.Releases(t.Context(), staging, 0)
	if err != nil && aloft.ErrorCode(err) != aloft.NotFound { // a changed name is a stage that is not there
		t.Errorf("mutation %d: %v", mutation, err)
	}
	for _, got := range releases {
		want := release(got.Version, got.Status)
		want.Reason = got.Reason
		if !reflect.DeepEqual(got, want) {
			t.Errorf("mutation %d: silently wrong:\n got %+v\nwant %+v", mutation, got, want)
		}
	}
}
