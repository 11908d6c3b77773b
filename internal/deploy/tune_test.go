package deploy_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

func scale(low, high int) aloft.Tuning { return aloft.Tuning{Scale: &aloft.Scale{Min: low, Max: high}} }

func (b *bench) tune(t *testing.T, set map[string]aloft.Tuning) aloft.Deployment {
	t.Helper()
	d, err := b.Tune(t.Context(), aloft.TuneInput{Stage: production, Set: set}, b.events)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// runs are the functions that the platform was given.
func (b *bench) runs() map[string]aloft.Function {
	all := map[string]aloft.Function{}
	for _, f := range b.platform.serving[production].Tuned() {
		all[f.Name] = f
	}
	return all
}

// TestTuningIsPartOfReleases: what is set wins over the source, stays with later deploys, and a rollback brings it back.
func TestTuningIsPartOfReleases(t *testing.T) {
	t.Parallel()
	const manifest = "functions: {web: {memory: 64, max: 4}, mailer: {command: ./mail}}\n"
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": manifest})
	b.up(t)
	minute := aloft.Duration(time.Minute)
	d := b.tune(t, map[string]aloft.Tuning{
		"web":    {Scale: &aloft.Scale{Min: 2, Max: 10}, Memory: 128, Timeout: minute, Concurrency: aloft.Concurrency{Soft: 5, Hard: 9}},
		"mailer": scale(0, 0),
	})
	if d.Release.Version != 2 || d.Release.Kind != aloft.TuneRelease ||
		d.Release.Description != "scale mailer=0, scale web=2..10, concurrency web=5..9, memory web=128MB, timeout web=1m0s" {
		t.Errorf("release %+v", d.Release)
	}
	web, has := b.runs()["mailer"]
	if has {
		t.Errorf("a worker turned off runs: %+v", web)
	}
	if web = b.runs()["web"]; web.Instances != 2 || web.Max != 10 || web.Memory != 128 || web.Timeout != minute || web.Target != 5 || web.Concurrency != 9 {
		t.Errorf("the web function runs as %+v", web)
	}
	if again := b.tune(t, map[string]aloft.Tuning{"web": {Memory: 128}}); !again.Unchanged {
		t.Errorf("the same again made v%d", again.Release.Version)
	}

	b.write(t, map[string]string{"run": "two", "aloft.yml": manifest})
	b.up(t)
	if web = b.runs()["web"]; web.Memory != 128 || len(b.runs()) != 1 {
		t.Errorf("after a deploy it runs as %+v of %d", web, len(b.runs()))
	}
	b.set(t, map[string]string{"A": "1"})
	if web = b.runs()["web"]; web.Memory != 128 {
		t.Errorf("after a change of config it runs as %+v", web)
	}

	reset := map[string][]aloft.TuningField{"web": {aloft.MemoryField, aloft.ScaleField}, "mailer": {aloft.ScaleField}}
	if _, err := b.Tune(t.Context(), aloft.TuneInput{Stage: production, Reset: reset}, b.events); err != nil {
		t.Fatal(err)
	}
	if web = b.runs()["web"]; web.Memory != 64 || web.Max != 4 || web.Timeout != minute || len(b.runs()) != 2 {
		t.Errorf("after a reset it runs as %+v of %d", web, len(b.runs()))
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 2}, b.events); err != nil {
		t.Fatal(err)
	}
	if web = b.runs()["web"]; web.Memory != 128 || len(b.runs()) != 1 {
		t.Errorf("after a rollback it runs as %+v of %d", web, len(b.runs()))
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 1}, b.events); err != nil {
		t.Fatal(err)
	}
	if r := b.platform.serving[production]; r.Tuning != nil || !reflect.DeepEqual(r.Tuned(), r.Functions) {
		t.Errorf("after a rollback to before: %+v", r.Tuning)
	}
}

func TestBadTunings(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "aloft.yml": "functions: {mailer: {command: ./mail}}\nstatic: {dir: files, prefix: /files}\n", "files/a": "x"})
	try := func(name string, tuning aloft.Tuning) error {
		_, err := b.Tune(t.Context(), aloft.TuneInput{Stage: production, Set: map[string]aloft.Tuning{name: tuning}}, b.events)
		return err
	}
	fails(t, try("web", scale(1, 2)), aloft.NotFound)
	b.set(t, map[string]string{"A": "1"})
	fails(t, try("web", scale(1, 2)), aloft.NotFound, "nothing is deployed")
	b.up(t)
	for name, bad := range map[string]aloft.Tuning{
		"less than none": scale(-1, 2), "too many": scale(1, 1e6), "upside down": scale(3, 2), "off": scale(0, 0), "to none": scale(0, 3),
		"huge": {Memory: 1 << 30}, "negative": {Memory: -1}, "no time": {Timeout: -1}, "soft above hard": {Concurrency: aloft.Concurrency{Soft: 3, Hard: 2}},
		"negative requests": {Concurrency: aloft.Concurrency{Hard: -1}}, "all at once": {Scale: &aloft.Scale{Min: 1, Max: 2}, Memory: -1},
	} {
		if err := try("web", bad); aloft.ErrorCode(err) != aloft.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	fails(t, try("mailer", scale(1, 2)), aloft.Invalid, "fixed number")
	fails(t, try("mailer", aloft.Tuning{Timeout: 1}), aloft.Invalid, "takes no requests")
	fails(t, try("static", aloft.Tuning{Memory: 1}), aloft.Invalid, "files")
	fails(t, try("wep", scale(1, 2)), aloft.NotFound, "web", "mailer")
	_, err := b.Tune(t.Context(), aloft.TuneInput{Stage: production, Reset: map[string][]aloft.TuningField{"wep": {aloft.ScaleField}}}, b.events)
	fails(t, err, aloft.NotFound)
	if r := b.platform.serving[production]; r.Version != 2 || r.Tuning != nil {
		t.Errorf("a refusal left v%d with %v", r.Version, r.Tuning)
	}
}

// TestRestart: it is no release, and starts what is stopped.
func TestRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one"})
	_, err := b.Restart(t.Context(), production, b.events)
	fails(t, err, aloft.NotFound)
	b.up(t)
	if err := b.Stop(t.Context(), production); err != nil {
		t.Fatal(err)
	}
	d, err := b.Restart(t.Context(), production, b.events)
	if err != nil || d.Release.Version != 1 || b.platform.serving[production].Version != 1 {
		t.Errorf("restart: %+v, %v; serving v%d", d.Release, err, b.platform.serving[production].Version)
	}
	if stage, err := b.Apps.Stage(t.Context(), production); err != nil || stage.Stopped {
		t.Errorf("stage %+v, %v", stage, err)
	}
	b.platform.refuse = aloft.Errorf(aloft.Failed, "no")
	if _, err := b.Restart(t.Context(), production, b.events); err == nil {
		t.Error("a platform that refuses was not heard")
	}
}

// TestIsolationAskedFor: an app that wants more than the server gives is not even built.
func TestIsolationAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"run": "one", "steps": "touch ran", "aloft.yml": "isolation: {minimum: 4}\n"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Failed, "isolation level 4", "doctor")
	b.write(t, map[string]string{"run": "one", "aloft.yml": "isolation: {minimum: 1}\n"})
	b.up(t)
	if f := b.platform.serving[production].Functions[0]; f.Isolation != 1 {
		t.Errorf("the release holds %+v", f)
	}
}
