package appservicetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

func testStages(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	for _, r := range []aloft.StageRef{ref("web", ""), ref("web", "Staging"), ref("", "staging"), ref("..", "x"), ref(strings.Repeat("a", 40), strings.Repeat("b", 30))} {
		wantCode(t, "CreateStage "+r.String(), s.CreateStage(ctx, aloft.Stage{StageRef: r}), aloft.Invalid)
	}
	wantCode(t, "CreateStage without app", s.CreateStage(ctx, aloft.Stage{StageRef: ref("web", "staging")}), aloft.NotFound)

	staging := addWeb(t, s)
	addApp(t, s, "api")
	addStage(t, s, ref("api", "staging"))
	wantCode(t, "second CreateStage", s.CreateStage(ctx, aloft.Stage{StageRef: staging}), aloft.Conflict)
	_, err := s.Stage(ctx, ref("web", "none"))
	wantCode(t, "Stage", err, aloft.NotFound)

	stage := getStage(t, s, staging)
	if stage.StageRef != staging || stage.Current != 0 || stage.Stopped || len(stage.Domains) != 0 || !stage.CreatedAt.Equal(created) {
		t.Errorf("Stage: %+v", stage)
	}
	wantStages(t, s, "web", "web/production web/staging")
	wantStages(t, s, "", "api/staging web/production web/staging")
}

func wantStages(t *testing.T, s aloft.AppService, app, want string) {
	t.Helper()
	stages, err := s.Stages(t.Context(), app)
	must(t, err)
	var names []string
	for _, stage := range stages {
		names = append(names, stage.String())
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("Stages(%q): %q, want %q", app, got, want)
	}
}

// testLabels: hosts are built from labels, so two stages of one label would answer each other's requests.
func testLabels(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	for _, name := range []string{"a", "a-b", "a-b-c"} {
		addApp(t, s, name)
	}
	addStage(t, s, ref("a", "b"))
	wantCode(t, "a-b/production after a/b", s.CreateStage(ctx, aloft.Stage{StageRef: ref("a-b", aloft.Production)}), aloft.Conflict)
	addStage(t, s, ref("a-b", "c"))
	wantCode(t, "a/b-c after a-b/c", s.CreateStage(ctx, aloft.Stage{StageRef: ref("a", "b-c")}), aloft.Conflict)
	wantCode(t, "a-b-c/production after a-b/c", s.CreateStage(ctx, aloft.Stage{StageRef: ref("a-b-c", aloft.Production)}), aloft.Conflict)
	must(t, s.DeleteStage(ctx, ref("a", "b")))
	addStage(t, s, ref("a-b", aloft.Production))
	wantCode(t, "a/b after a-b/production", s.CreateStage(ctx, aloft.Stage{StageRef: ref("a", "b")}), aloft.Conflict)
}

func testUpdateStage(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	must(t, s.FinishRelease(ctx, staging, addRelease(t, s, staging), ""))

	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Stopped: true, Domains: []string{"b.example", "a.example"}, Current: 99}))
	got := getStage(t, s, staging)
	if !got.Stopped || !slices.Equal(got.Domains, []string{"a.example", "b.example"}) {
		t.Errorf("Stage: %+v; want stopped and sorted domains", got)
	}
	if got.Current != 1 || !got.CreatedAt.Equal(created) {
		t.Errorf("Stage: %+v; Current and CreatedAt must be left alone", got)
	}
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: []string{"c.example", "a.example", "a.example"}}))
	if got = getStage(t, s, staging); got.Stopped || !slices.Equal(got.Domains, []string{"a.example", "c.example"}) {
		t.Errorf("Stage: %+v; want the new values in place of the old, without doubles", got)
	}
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging}))
	if got = getStage(t, s, staging); len(got.Domains) != 0 {
		t.Errorf("Stage: %+v; want no domains", got)
	}
	wantCode(t, "no stage", s.UpdateStage(ctx, aloft.Stage{StageRef: ref("web", "none")}), aloft.NotFound)
	wantCode(t, "no app", s.UpdateStage(ctx, aloft.Stage{StageRef: ref("none", "staging")}), aloft.NotFound)
}

func testDomains(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging, production := addWeb(t, s), ref("web", aloft.Production)
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: []string{"a.example", "b.example"}}))
	err := s.UpdateStage(ctx, aloft.Stage{StageRef: production, Stopped: true, Domains: []string{"c.example", "b.example"}})
	wantCode(t, "taken domain", err, aloft.Conflict)
	if got := getStage(t, s, production); got.Stopped || len(got.Domains) != 0 {
		t.Errorf("Stage: %+v; a refused update must change nothing", got)
	}
	stages, err := s.Stages(ctx, "web")
	must(t, err)
	if len(stages[0].Domains) != 0 || !slices.Equal(stages[1].Domains, []string{"a.example", "b.example"}) {
		t.Errorf("Stages: %+v", stages)
	}
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: []string{"b.example"}})) // its own is not taken
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: production, Domains: []string{"a.example"}}))
	must(t, s.DeleteStage(ctx, staging))
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: production, Domains: []string{"a.example", "b.example"}}))
}

func testDeleteStage(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging, production := addWeb(t, s), ref("web", aloft.Production)
	addRelease(t, s, staging)
	addRelease(t, s, production)
	must(t, s.DeleteStage(ctx, staging))
	wantCode(t, "second DeleteStage", s.DeleteStage(ctx, staging), aloft.NotFound)
	_, err := s.Releases(ctx, staging, 0)
	wantCode(t, "Releases", err, aloft.NotFound)
	_, err = s.Release(ctx, staging, 1)
	wantCode(t, "Release", err, aloft.NotFound)
	_, err = s.Release(ctx, production, 1)
	must(t, err)
	wantStages(t, s, "web", "web/production")

	addStage(t, s, staging)
	releases, err := s.Releases(ctx, staging, 0)
	if err != nil || len(releases) != 0 {
		t.Errorf("Releases of the new stage: %v, %v; want none", releases, err)
	}
	if v := addRelease(t, s, staging); v < 1 {
		t.Errorf("first version of the new stage: %d", v)
	}
}
