package appservicetest

import (
	"reflect"
	"testing"

	"github.com/aloft-run/aloft"
)

func testCreateRelease(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	_, err := s.CreateRelease(ctx, sample(ref("web", "none")))
	wantCode(t, "no stage", err, aloft.NotFound)

	input := sample(staging)
	input.Version, input.Status, input.Reason = 42, aloft.Succeeded, "because"
	made, err := s.CreateRelease(ctx, input)
	must(t, err)
	if made.Version != 1 || made.Status != aloft.Pending || made.Reason != "" {
		t.Errorf("CreateRelease: v%d %s %q; want v1, pending, no reason", made.Version, made.Status, made.Reason)
	}
	if stage := getStage(t, s, staging); stage.Current != 0 {
		t.Errorf("Current is %d; a pending release does not serve", stage.Current)
	}
	_, err = s.Release(ctx, staging, 2)
	wantCode(t, "Release", err, aloft.NotFound)
	_, err = s.Release(ctx, staging, 0)
	wantCode(t, "Release 0", err, aloft.NotFound)
	_, err = s.Release(ctx, ref("web", aloft.Production), 1)
	wantCode(t, "Release of the other stage", err, aloft.NotFound)
	if v := addRelease(t, s, ref("web", aloft.Production)); v != 1 {
		t.Errorf("version %d; versions count per stage", v)
	}
}

func testRoundTrip(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	for version, input := range []aloft.Release{sample(staging), {StageRef: staging, Kind: aloft.ConfigRelease, CreatedAt: created}} {
		want := input.Clone()
		want.Version, want.Status = version+1, aloft.Pending
		made, err := s.CreateRelease(ctx, input)
		must(t, err)
		if !reflect.DeepEqual(made, want) {
			t.Errorf("CreateRelease:\n got %+v\nwant %+v", made, want)
		}
		got, err := s.Release(ctx, staging, version+1)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Release:\n got %+v\nwant %+v", got, want)
		}
	}
}

func testFinishRelease(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Stopped: true, Domains: []string{"a.example"}}))
	v1, v2, v3 := addRelease(t, s, staging), addRelease(t, s, staging), addRelease(t, s, staging)

	must(t, s.FinishRelease(ctx, staging, v1, "port 3000 is taken"))
	wantRelease(t, s, staging, v1, aloft.Broken, "port 3000 is taken")
	if stage := getStage(t, s, staging); stage.Current != 0 || !stage.Stopped {
		t.Errorf("Stage: %+v; a failed release changes nothing", stage)
	}
	must(t, s.FinishRelease(ctx, staging, v2, ""))
	wantRelease(t, s, staging, v2, aloft.Succeeded, "")
	if stage := getStage(t, s, staging); stage.Current != v2 || stage.Stopped || len(stage.Domains) != 1 {
		t.Errorf("Stage: %+v; want current v2, not stopped, domains kept", stage)
	}
	for _, v := range []int{v1, v2} {
		for _, reason := range []string{"", "again"} {
			wantCode(t, "second FinishRelease", s.FinishRelease(ctx, staging, v, reason), aloft.Conflict)
		}
	}
	wantRelease(t, s, staging, v1, aloft.Broken, "port 3000 is taken")
	wantRelease(t, s, staging, v2, aloft.Succeeded, "")
	wantRelease(t, s, staging, v3, aloft.Pending, "")
	wantCode(t, "no release", s.FinishRelease(ctx, staging, 99, ""), aloft.NotFound)
	wantCode(t, "no stage", s.FinishRelease(ctx, ref("web", "none"), 1, ""), aloft.NotFound)
	if stage := getStage(t, s, staging); stage.Current != v2 {
		t.Errorf("Current is %d, want %d", stage.Current, v2)
	}
	if stage := getStage(t, s, ref("web", aloft.Production)); stage.Current != 0 {
		t.Errorf("the other stage's Current is %d", stage.Current)
	}
}

func wantRelease(t *testing.T, s aloft.AppService, r aloft.StageRef, version int, status aloft.ReleaseStatus, reason string) {
	t.Helper()
	want := sample(r)
	want.Version, want.Status, want.Reason = version, status, reason
	got, err := s.Release(t.Context(), r, version)
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Release:\n got %+v\nwant %+v", got, want)
	}
}

func testVersions(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	for want := 1; want <= 6; want++ {
		if got := addRelease(t, s, staging); got != want {
			t.Fatalf("version %d, want %d: never reused, whatever became of the ones before", got, want)
		}
		switch want % 3 {
		case 1:
			must(t, s.FinishRelease(ctx, staging, want, "failed"))
		case 2:
			must(t, s.FinishRelease(ctx, staging, want, ""))
		}
		_, err := s.CreateRelease(ctx, sample(ref("web", "none"))) // a refused one uses no number
		wantCode(t, "CreateRelease", err, aloft.NotFound)
	}
	if stage := getStage(t, s, staging); stage.Current != 5 {
		t.Errorf("Current is %d, want 5", stage.Current)
	}
}

func testReleases(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	addRelease(t, s, ref("web", aloft.Production))
	for range 12 {
		addRelease(t, s, staging)
	}
	must(t, s.FinishRelease(ctx, staging, 11, "broke"))
	for limit, want := range map[int]int{0: 12, 1: 1, 5: 5, 12: 12, 100: 12} {
		list, err := s.Releases(ctx, staging, limit)
		must(t, err)
		if len(list) != want {
			t.Errorf("Releases(%d): %d, want %d", limit, len(list), want)
		}
		for i, r := range list {
			if r.Version != 12-i || r.StageRef != staging {
				t.Errorf("Releases(%d)[%d]: %v v%d; want newest first", limit, i, r.StageRef, r.Version)
			}
		}
	}
	list, err := s.Releases(ctx, staging, 2)
	must(t, err)
	one, err := s.Release(ctx, staging, 11)
	must(t, err)
	if !reflect.DeepEqual(list[1], one) || one.Reason != "broke" {
		t.Errorf("Releases and Release differ:\n%+v\n%+v", list[1], one)
	}
}

func testDigests(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	for i, digest := range []string{"aa", "bb", "aa", ""} {
		r := sample([]aloft.StageRef{staging, ref("web", aloft.Production)}[i%2])
		r.Artifact = aloft.Artifact{Digest: digest}
		r.Functions = append(r.Functions, aloft.Function{Name: "hook", Kind: aloft.Handler, Opt: []string{"dd", "", "cc", ""}[i]})
		made, err := s.CreateRelease(ctx, r)
		must(t, err)
		must(t, s.FinishRelease(ctx, r.StageRef, made.Version, []string{"", "failed"}[i%2]))
	}
	got, err := s.Digests(ctx)
	must(t, err)
	if want := map[string]bool{"aa": true, "bb": true, "cc": true, "dd": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("Digests: %v, want %v: failed releases count, releases without artifact do not", got, want)
	}
	must(t, s.DeleteStage(ctx, staging))
	got, err = s.Digests(ctx)
	must(t, err)
	if want := map[string]bool{"bb": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("Digests: %v, want %v", got, want)
	}
}
