package appservicetest

import (
	"slices"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

func testEmpty(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	_, err := s.App(ctx, "web")
	wantCode(t, "App", err, aloft.NotFound)
	wantCode(t, "DeleteApp", s.DeleteApp(ctx, "web"), aloft.NotFound)
	_, err = s.Stage(ctx, ref("web", "staging"))
	wantCode(t, "Stage", err, aloft.NotFound)
	wantCode(t, "UpdateStage", s.UpdateStage(ctx, aloft.Stage{StageRef: ref("web", "staging")}), aloft.NotFound)
	wantCode(t, "DeleteStage", s.DeleteStage(ctx, ref("web", "staging")), aloft.NotFound)
	_, err = s.CreateRelease(ctx, sample(ref("web", "staging")))
	wantCode(t, "CreateRelease", err, aloft.NotFound)
	wantCode(t, "FinishRelease", s.FinishRelease(ctx, ref("web", "staging"), 1, ""), aloft.NotFound)
	_, err = s.Release(ctx, ref("web", "staging"), 1)
	wantCode(t, "Release", err, aloft.NotFound)
	_, err = s.Releases(ctx, ref("web", "staging"), 0)
	wantCode(t, "Releases", err, aloft.NotFound)

	apps, err := s.Apps(ctx)
	if err != nil || len(apps) != 0 {
		t.Errorf("Apps: %v, %v; want none", apps, err)
	}
	for _, app := range []string{"", "web"} { // an app that does not exist has no stages; that is no error
		stages, err := s.Stages(ctx, app)
		if err != nil || len(stages) != 0 {
			t.Errorf("Stages(%q): %v, %v; want none", app, stages, err)
		}
	}
	digests, err := s.Digests(ctx)
	if err != nil || len(digests) != 0 {
		t.Errorf("Digests: %v, %v; want none", digests, err)
	}
}

func testApps(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	for _, name := range []string{"", "Web", "1web", "web-", "a/b", "../x", "naïve", "a b", "a\x00", "abcdefghijabcdefghijabcdefghijabcdefghijk"} {
		wantCode(t, "CreateApp "+name, s.CreateApp(ctx, aloft.App{Name: name}), aloft.Invalid)
	}
	for _, name := range []string{"web", "api", "web2"} {
		addApp(t, s, name)
	}
	wantCode(t, "second CreateApp", s.CreateApp(ctx, aloft.App{Name: "web", Key: []byte("other")}), aloft.Conflict)

	app, err := s.App(ctx, "web")
	must(t, err)
	if app.Name != "web" || string(app.Key) != "key of web" || !app.CreatedAt.Equal(created) {
		t.Errorf("App: %+v; the refused CreateApp must change nothing", app)
	}
	must(t, s.CreateApp(ctx, aloft.App{Name: "zone", CreatedAt: created.In(time.FixedZone("x", 3600))}))
	app, err = s.App(ctx, "zone")
	must(t, err)
	if !app.CreatedAt.Equal(created) || len(app.Key) != 0 {
		t.Errorf("App: %+v; want the same instant and no key", app)
	}
	apps, err := s.Apps(ctx)
	must(t, err)
	var names []string
	for _, a := range apps {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"api", "web", "web2", "zone"}) {
		t.Errorf("Apps: %q, want them by name", names)
	}
	if string(apps[0].Key) != "key of api" {
		t.Errorf("Apps: key %q", apps[0].Key)
	}
}

func testDeleteApp(t *testing.T, s aloft.AppService) {
	ctx := t.Context()
	staging := addWeb(t, s)
	addRelease(t, s, staging)
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: staging, Domains: []string{"example.com"}}))
	addApp(t, s, "keep")
	addStage(t, s, ref("keep", "staging"))
	addRelease(t, s, ref("keep", "staging"))

	wantCode(t, "DeleteApp with a stage", s.DeleteApp(ctx, "web"), aloft.Conflict)
	stages, err := s.Stages(ctx, "web")
	must(t, err)
	for _, stage := range stages {
		must(t, s.DeleteStage(ctx, stage.StageRef))
	}
	must(t, s.DeleteApp(ctx, "web"))
	_, err = s.App(ctx, "web")
	wantCode(t, "App", err, aloft.NotFound)
	_, err = s.Stage(ctx, staging)
	wantCode(t, "Stage", err, aloft.NotFound)
	_, err = s.Release(ctx, staging, 1)
	wantCode(t, "Release", err, aloft.NotFound)
	wantCode(t, "CreateStage", s.CreateStage(ctx, aloft.Stage{StageRef: staging}), aloft.NotFound)

	addWeb(t, s) // name, labels and domain are free again, and nothing comes back
	releases, err := s.Releases(ctx, staging, 0)
	if err != nil || len(releases) != 0 {
		t.Errorf("Releases: %v, %v; want none", releases, err)
	}
	must(t, s.UpdateStage(ctx, aloft.Stage{StageRef: ref("keep", "staging"), Domains: []string{"example.com"}}))
	_, err = s.Release(ctx, ref("keep", "staging"), 1)
	must(t, err)
}
