package deploy_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
)

var staging = aloft.StageRef{App: production.App, Stage: "staging"}

func (b *bench) promote(t *testing.T) aloft.Deployment {
	t.Helper()
	d, err := b.Promote(t.Context(), aloft.PromoteInput{From: staging, To: production, Author: "ada"}, b.events)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (b *bench) stage(t *testing.T) aloft.Deployment {
	t.Helper()
	input := b.input()
	input.Stage, input.Commit = staging, "3f9c1ab"
	d, err := b.Deploy(t.Context(), input, b.events)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Code and shape go along; config, tuning and domains stay.
func TestPromote(t *testing.T) {
	b := newBench(t, map[string]string{"run": "#!/bin/sh", "aloft.yml": "env: {MODE: fast}\nroutes: {}\n", "up.json": "{}"})
	first := b.stage(t)
	for ref, variable := range map[aloft.StageRef]string{staging: "ONLY_HERE", production: "ONLY_THERE"} {
		if _, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: ref, Set: map[string]string{variable: "secret", "BOTH": ref.Stage}}, b.events); err != nil {
			t.Fatal(err)
		}
	}
	d := b.promote(t)
	got := b.serving()
	if d.Release.Kind != aloft.PromoteRelease || got.Artifact != first.Release.Artifact || got.Commit != "3f9c1ab" || got.Author != "ada" || got.Description != "promoted from staging v2" {
		t.Errorf("got %+v", got)
	}
	config, err := b.Unseal(t.Context(), got)
	if err != nil || !maps.Equal(config, aloft.Config{"ONLY_THERE": "secret", "BOTH": "production"}) {
		t.Errorf("config %#v, %v", map[string]string(config), err)
	}
	if text := b.events.text(); !strings.Contains(text, "production lacks variables that staging has: ONLY_HERE.") || strings.Contains(text, "secret") {
		t.Errorf("said\n%s", text)
	}
	web := got.Functions[slices.IndexFunc(got.Functions, func(f aloft.Function) bool { return f.Name == "web" })]
	if web.Env["MODE"] != "fast" || web.Env["UP_STAGE"] != "production" || web.Idle != 0 {
		t.Errorf("the function is %+v", web)
	}
	if again := b.promote(t); !again.Unchanged {
		t.Error("the same again made a release")
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: staging, Version: 1}, b.events); err != nil {
		t.Fatal(err)
	}
	if again := b.promote(t); !again.Unchanged {
		t.Errorf("another config of the source made %+v", again.Release)
	}
}

func TestPromoteRefused(t *testing.T) {
	b := newBench(t, map[string]string{"run": "#!/bin/sh"})
	b.stage(t)
	for name, c := range map[string]struct {
		input aloft.PromoteInput
		code  aloft.Code
		text  string
	}{
		"itself":      {aloft.PromoteInput{From: staging, To: staging}, aloft.Invalid, "to itself"},
		"another app": {aloft.PromoteInput{From: staging, To: aloft.StageRef{App: "other", Stage: "production"}}, aloft.Invalid, "two apps"},
		"no stage":    {aloft.PromoteInput{From: aloft.StageRef{App: staging.App, Stage: "none"}, To: production}, aloft.NotFound, "none"},
		"no release":  {aloft.PromoteInput{From: staging, To: production, Version: 7}, aloft.NotFound, "v7"},
		"canary":      {aloft.PromoteInput{From: staging, To: production, Canary: &aloft.Canary{Share: 0.1, For: 1e9}}, aloft.Invalid, "only on AWS"},
	} {
		_, err := b.Promote(t.Context(), c.input, b.events)
		if e := fails(t, err, c.code, c.text); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
	b.write(t, map[string]string{"app.json": `{"env": {"DATABASE_URL": {"required": true}}}`})
	_, err := b.Promote(t.Context(), aloft.PromoteInput{From: staging, To: production, Dir: b.dir}, b.events)
	fails(t, err, aloft.Invalid, "DATABASE_URL")
	if _, err := b.apps.Stage(t.Context(), production); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("a stage was made: %v", err)
	}
}

// From one platform to the other and back: the bytes are the same.
func TestPromoteAcross(t *testing.T) {
	here := newBench(t, map[string]string{"run": "#!/bin/sh"})
	there := onAWS(t, map[string]string{"aloft.yml": "platform: aws\naws: {log-retention: 7}"})
	made := here.stage(t).Release
	there.set(t, map[string]string{"A": "1"}) // makes a release of no settings
	d := carry(t, here, there, staging, production)
	if d.Release.Artifact != made.Artifact || !reflect.DeepEqual(d.Release.Functions, promotedFunctions(made)) || d.Release.AWS == nil || d.Release.AWS.LogDays != 7 {
		t.Errorf("got %+v", d.Release)
	}
	back := carry(t, there, here, production, aloft.StageRef{App: production.App, Stage: "local"})
	if back.Release.Artifact != made.Artifact || back.Release.AWS != nil || back.Release.Platform != "" {
		t.Errorf("got %+v", back.Release)
	}
	if !bytes.Equal(content(t, here, made.Artifact.Digest), content(t, there, made.Artifact.Digest)) {
		t.Error("the artifacts differ")
	}
}

func promotedFunctions(made aloft.Release) []aloft.Function {
	all := made.Clone().Functions
	for i := range all {
		all[i].Idle = 0
	}
	return all
}

func content(t *testing.T, b *bench, digest string) []byte {
	t.Helper()
	body, err := b.OpenArtifact(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// carry promotes from one deployer to another, as the command does.
func carry(t *testing.T, from, to *bench, source, target aloft.StageRef) aloft.Deployment {
	t.Helper()
	release, err := from.Promotable(t.Context(), source, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "artifact")
	if err := os.WriteFile(file, content(t, from, release.Artifact.Digest), 0o600); err != nil {
		t.Fatal(err)
	}
	input := aloft.PromoteInput{From: source, To: target, Release: &release, Packages: map[string]string{release.Artifact.Digest: file}}
	if to.AWS != nil {
		input.Dir = to.dir
	}
	d, err := to.Promote(t.Context(), input, to.events)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Machine code runs on its own architecture only.
func TestPromoteArchitecture(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh"})
	b.up(t) // arm64
	b.write(t, map[string]string{"lib.so": forIntel + strings.Repeat(" ", 20)})
	b.stage(t)
	_, err := b.Promote(t.Context(), aloft.PromoteInput{From: staging, To: production}, b.events)
	if e := fails(t, err, aloft.Invalid, "lib.so", aloft.ARM64); e.Hint == "" {
		t.Error("no hint")
	}
}

// trying is a platform that can try releases.
type trying struct {
	*platform

	tried []aloft.Canary
}

func (p *trying) ApplyGradually(ctx context.Context, r aloft.Release, c aloft.Canary, report aloft.Reporter, commit func(context.Context) error) error {
	p.tried = append(p.tried, c)
	return p.Apply(ctx, r, report, commit)
}

// Deploys, rollbacks and promotions can be tried first, where the platform can do that.
func TestCanary(t *testing.T) {
	b := newBench(t, map[string]string{"run": "#!/bin/sh"})
	input := b.input()
	input.Canary = &aloft.Canary{Share: 0.1, For: aloft.Duration(5e9)}
	_, err := b.Deploy(t.Context(), input, b.events)
	fails(t, err, aloft.Invalid, "only on AWS")
	p := &trying{platform: b.platform}
	b.Platform = p
	if _, err := b.Deploy(t.Context(), input, b.events); err != nil {
		t.Fatal(err)
	}
	b.stage(t)
	b.write(t, map[string]string{"run": "two"})
	b.up(t)
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Canary: input.Canary}, b.events); err != nil {
		t.Fatal(err)
	}
	b.stage(t)
	if _, err := b.Promote(t.Context(), aloft.PromoteInput{From: staging, To: production, Canary: input.Canary}, b.events); err != nil {
		t.Fatal(err)
	}
	if len(p.tried) != 3 {
		t.Errorf("tried %v", p.tried)
	}
	for _, share := range []float64{0, 1, -1, 2} {
		input.Canary = &aloft.Canary{Share: share, For: aloft.Duration(5e9)}
		_, err := b.Deploy(t.Context(), input, b.events)
		fails(t, err, aloft.Invalid, "canary")
	}
}
