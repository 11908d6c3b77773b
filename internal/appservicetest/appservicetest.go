// Package appservicetest is the contract of aloft.AppService as tests. Each implementation's test calls Run; what passes
// here may be exchanged for any other implementation. It knows no implementation.
package appservicetest

import (
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// Run checks the contract. Open returns an empty service that nobody else uses and registers its own cleanup with t.
func Run(t *testing.T, open func(t *testing.T) aloft.AppService) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, s aloft.AppService)
	}{
		{"Empty", testEmpty},
		{"Apps", testApps},
		{"DeleteApp", testDeleteApp},
		{"Stages", testStages},
		{"Labels", testLabels},
		{"UpdateStage", testUpdateStage},
		{"Domains", testDomains},
		{"DeleteStage", testDeleteStage},
		{"CreateRelease", testCreateRelease},
		{"RoundTrip", testRoundTrip},
		{"FinishRelease", testFinishRelease},
		{"Versions", testVersions},
		{"Releases", testReleases},
		{"Digests", testDigests},
		{"ReturnedIsolation", testReturnedIsolation},
		{"GivenIsolation", testGivenIsolation},
		{"ConcurrentCreate", testConcurrentCreate},
		{"ConcurrentFinish", testConcurrentFinish},
		{"Canceled", testCanceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// created is a time with nanoseconds, to see them kept.
var created = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)

func ref(app, stage string) aloft.StageRef { return aloft.StageRef{App: app, Stage: stage} }

func wantCode(t *testing.T, what string, err error, code aloft.Code) {
	t.Helper()
	if got := aloft.ErrorCode(err); got != code {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func addApp(t *testing.T, s aloft.AppService, name string) {
	t.Helper()
	must(t, s.CreateApp(t.Context(), aloft.App{Name: name, Key: []byte("key of " + name), CreatedAt: created}))
}

func addStage(t *testing.T, s aloft.AppService, r aloft.StageRef) {
	t.Helper()
	must(t, s.CreateStage(t.Context(), aloft.Stage{StageRef: r, CreatedAt: created}))
}

// addWeb adds app web with stages staging and production.
func addWeb(t *testing.T, s aloft.AppService) aloft.StageRef {
	t.Helper()
	addApp(t, s, "web")
	addStage(t, s, ref("web", "staging"))
	addStage(t, s, ref("web", aloft.Production))
	return ref("web", "staging")
}

func addRelease(t *testing.T, s aloft.AppService, r aloft.StageRef) int {
	t.Helper()
	made, err := s.CreateRelease(t.Context(), sample(r))
	must(t, err)
	return made.Version
}

func getStage(t *testing.T, s aloft.AppService, r aloft.StageRef) aloft.Stage {
	t.Helper()
	stage, err := s.Stage(t.Context(), r)
	must(t, err)
	return stage
}

// sample is a release with every field set that a caller may set.
func sample(r aloft.StageRef) aloft.Release {
	return aloft.Release{
		StageRef:  r,
		Kind:      aloft.DeployRelease,
		Artifact:  aloft.Artifact{Digest: "0123abcd", Size: 1 << 40, Files: 7},
		Source:    "ffee",
		Buildpack: "node",
		Config: aloft.SealedConfig{Version: 3, Values: map[string][]byte{
			"A": {0, 1, 0xff}, "B": []byte("<&>"),
		}},
		Functions: []aloft.Function{
			{
				Name: "web", Kind: aloft.Web, Command: []string{"node", "a b.js", "größe\n"},
				Env: map[string]string{"X": "1"}, HealthPath: "/up", BootTimeout: aloft.Duration(90 * time.Second),
				DrainTimeout: aloft.Duration(time.Millisecond), Timeout: aloft.Duration(time.Hour), Memory: 1, Concurrency: 2, Instances: 3,
			},
			{Name: "files", Kind: aloft.Static, Root: "public", Prefix: "/s"},
		},
		Resources: []aloft.Resource{{Name: "jobs", Type: aloft.Queue, Options: map[string]string{"fifo": "true"}}, {Name: "uploads", Type: aloft.Bucket}},
		Author:    "ann", Commit: "c0ffee", Description: "why \"not\"", CreatedAt: created,
	}
}
