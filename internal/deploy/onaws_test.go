package deploy_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/buildpack/golang"
	"github.com/aloft-run/aloft/internal/stack"
)

// onAWS makes a bench's Deployer one of AWS.
func onAWS(t *testing.T, files map[string]string) *bench {
	t.Helper()
	b := newBench(t, files)
	b.AWS = &aloft.AWS{Regions: []string{"eu-west-1"}}
	b.Shared = true
	return b
}

func (b *bench) serving() aloft.Release { return b.platform.serving[production] }

// Where a function begins to read a stream AWS changes in no mapping: that is refused before a release, with the two steps that lead
// there, which work.
func TestPositionOnAWS(t *testing.T) {
	t.Parallel()
	write := func(b *bench, position string) {
		b.write(t, map[string]string{"run": "#!/bin/sh", "aloft.yml": "platform: aws\nresources: {carts: {type: table, key: id}}\n" +
			"functions: {web: {events: ['table:carts?batch=10" + position + "']}}\n"})
	}
	b := onAWS(t, nil)
	write(b, "")
	b.up(t)
	write(b, "&position=trim-horizon")
	_, err := b.Plan(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "position=latest cannot be changed to position=trim-horizon")
	_, err = b.Deploy(t.Context(), b.input(), b.events)
	if e := fails(t, err, aloft.Invalid, "position=latest"); !strings.Contains(e.Hint, "aloft event-sources remove web 'table:carts?batch=10' --stage production") {
		t.Errorf("the hint is %q", e.Hint)
	}
	if _, err := b.sources(t, aloft.Sources{Add: []string{"table:carts?position=trim-horizon"}}); aloft.ErrorCode(err) != aloft.Invalid {
		t.Errorf("a second mapping: %v", err)
	}
	if _, err := b.sources(t, aloft.Sources{Remove: []string{"table:carts?batch=10"}}); err != nil {
		t.Fatal(err)
	}
	if d := b.up(t); !slices.Equal(d.Release.Tuned()[0].EventSources, []string{"table:carts?batch=10&position=trim-horizon"}) {
		t.Errorf("after both: %q", d.Release.Tuned()[0].EventSources)
	}
	write(b, "&position=trim-horizon&retries=3")
	b.up(t)
}

// A hook that fails says that it had no stores, if there are any.
func TestHookOnAWS(t *testing.T) {
	t.Parallel()
	for resources, want := range map[string]bool{"{}": false, "{carts: {type: table, key: id}}": true} {
		b := onAWS(t, map[string]string{"run": "#!/bin/sh", "aloft.yml": "platform: aws\nhooks: {predeploy: 'false'}\nresources: " + resources + "\n"})
		_, err := b.Deploy(t.Context(), b.input(), b.events)
		if e := fails(t, err, aloft.Failed, "predeploy hook failed"); strings.Contains(e.Hint, "aloft invoke") != want {
			t.Errorf("with the resources %s the hint is %q", resources, e.Hint)
		}
	}
}

const (
	forIntel = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00 and so on"
	forARM   = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00 and so on"
)

// What a release on AWS has besides its functions comes from the source, and a change of it is a change of the stage.
func TestReleasesOnAWS(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh", "aloft.yml": "platform: aws\naws: {log-retention: 30}"})
	b.up(t)
	got := b.serving()
	if got.Platform != aloft.OnAWS || got.AWS == nil || got.AWS.LogDays != 30 || !slices.Equal(got.AWS.Regions, []string{"eu-west-1"}) || got.AWS.Architecture != aloft.ARM64 {
		t.Fatalf("got %q %+v", got.Platform, got.AWS)
	}
	if d := b.up(t); !d.Unchanged {
		t.Error("the same again made a release")
	}
	before, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil || len(before.Changes) != 0 {
		t.Fatalf("%+v, %v", before.Changes, err)
	}
	b.write(t, map[string]string{"aloft.yml": "platform: aws\naws: {log-retention: 7, regions: [eu-west-1, us-east-1], cloudformation: {Resources: {}}}"})
	plan, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range plan.Changes {
		if c.Kind == "aws" {
			lines = append(lines, string(c.Action)+" "+c.Name+" "+c.Before+" "+c.After)
		}
	}
	if got := strings.Join(lines, "\n"); got != "add cloudformation  {\"Resources\":{}}\nmodify logDays 30 7\nmodify regions [\"eu-west-1\"] [\"eu-west-1\",\"us-east-1\"]" || plan.ID == before.ID {
		t.Errorf("the plan says\n%s", got)
	}
	if d := b.up(t); d.Unchanged || b.serving().AWS.LogDays != 7 {
		t.Error("changed settings made no release")
	}
	if d, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events); err != nil || d.Level != 0 || b.serving().AWS.LogDays != 30 {
		t.Errorf("after the rollback %+v, %v", b.serving().AWS, err)
	}
}

// How many instances run is in plans for a server, not for AWS, which decides that itself.
func TestPlanOfInstancesOnAWS(t *testing.T) {
	t.Parallel()
	shape := "functions: {hello: {handler: hello.handler, runtime: nodejs22.x}, web: {command: ./run, max: %s}}\n"
	files := func(most string) map[string]string {
		return map[string]string{"run": "#!/bin/sh", "hello.js": "exports.handler = async () => 'ok'\n", "aloft.yml": strings.ReplaceAll(shape, "%s", most)}
	}
	for _, there := range []bool{false, true} {
		b := newBench(t, files("10"))
		if there {
			b = onAWS(t, files("10"))
		}
		first, err := b.Plan(t.Context(), b.input(), b.events)
		if err != nil {
			t.Fatal(err)
		}
		b.up(t)
		b.write(t, files("20"))
		other, err := b.Plan(t.Context(), b.input(), b.events)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, c := range append(first.Changes, other.Changes...) {
			if c.Kind == "function" {
				text += c.Name + " " + c.Before + " " + c.After + "\n"
			}
		}
		if strings.Contains(text, "instances") == there {
			t.Errorf("on AWS %v: the plans say\n%s", there, text)
		}
	}
}

// A server of this machine does not take a stage that runs on AWS, unless it is told to.
func TestStagesOnAWSAreNotTaken(t *testing.T) {
	b := newBench(t, map[string]string{"run": "#!/bin/sh", "aloft.yml": "platform: aws"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	e := fails(t, err, aloft.Invalid, "runs on AWS")
	if !strings.Contains(e.Hint, "aloft up production") {
		t.Errorf("the hint is %q", e.Hint)
	}
	input := b.input()
	input.Platform = aloft.OnLocal
	if _, err := b.Deploy(t.Context(), input, b.events); err != nil || b.serving().AWS != nil {
		t.Errorf("%v, %+v", err, b.serving().AWS)
	}
}

// An artifact runs on what its machine code is for.
func TestArchitectures(t *testing.T) {
	for name, c := range map[string]struct{ code, asked, want, refused string }{
		"scripts":           {"", "", aloft.ARM64, ""},
		"scripts for Intel": {"", aloft.X8664, aloft.X8664, ""},
		"Intel":             {forIntel, "", aloft.X8664, ""},
		"ARM":               {forARM, "", aloft.ARM64, ""},
		"contradiction":     {forIntel, aloft.ARM64, "", "lib.so"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "platform: aws\n"
			if c.asked != "" {
				text += "aws: {architecture: " + c.asked + "}\n"
			}
			b := onAWS(t, map[string]string{"run": "#!/bin/sh\n#" + name, "lib.so": c.code + strings.Repeat(" ", 20), "aloft.yml": text})
			_, err := b.Deploy(t.Context(), b.input(), b.events)
			if c.refused != "" {
				fails(t, err, aloft.Invalid, c.asked, c.refused)
				return
			}
			if err != nil || b.serving().AWS.Architecture != c.want {
				t.Errorf("got %+v, %v", b.serving().AWS, err)
			}
			if told := strings.Contains(b.events.text(), "x86_64"); told != (c.want == aloft.X8664 && c.asked == "") {
				t.Errorf("said\n%s", b.events.text())
			}
		})
	}
}

// Domains are part of releases on AWS; a rollback keeps those that the stage has, and one that fails gives them back.
func TestDomainsOnAWS(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh"})
	b.up(t)
	if _, err := b.ChangeDomains(t.Context(), production, []string{"www.example.com"}, b.events); err != nil {
		t.Fatal(err)
	}
	if got := b.serving(); got.Version != 2 || !slices.Equal(got.AWS.Domains, []string{"www.example.com"}) || got.Description != "domains: www.example.com" {
		t.Fatalf("got v%d %+v", got.Version, got.AWS)
	}
	b.platform.refuse = errors.New("no such zone")
	if _, err := b.SetDomains(t.Context(), production, nil); err == nil {
		t.Fatal("a release that failed is no error")
	}
	if stage, err := b.apps.Stage(t.Context(), production); err != nil || len(stage.Domains) != 1 {
		t.Errorf("the stage has %v, %v", stage.Domains, err)
	}
	b.platform.refuse = nil
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production, Version: 1}, b.events); err != nil || !slices.Equal(b.serving().AWS.Domains, []string{"www.example.com"}) {
		t.Errorf("after the rollback %v, %v", b.serving().AWS.Domains, err)
	}
	if len(b.platform.routed) != 0 {
		t.Error("hosts were led to the stage here")
	}
}

// Variables may come before the first deploy, and what a release needs may be kept by the platform alone.
func TestStateOnAWS(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh"})
	if d := b.set(t, map[string]string{"A": "1"}); d.Release.Platform != aloft.OnAWS || d.Release.AWS == nil {
		t.Errorf("got %+v", d.Release)
	}
	first := b.up(t)
	b.write(t, map[string]string{"run": "#!/bin/sh\n# two"})
	b.up(t)
	if err := b.Tidy(t.Context(), -time.Hour); err != nil || b.store.Has(first.Release.Artifact.Digest) {
		t.Fatalf("tidied, %v", err)
	}
	_, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events)
	fails(t, err, aloft.Internal, "missing")
	b.Stored = func(_ context.Context, digest string) (bool, error) {
		return digest == first.Release.Artifact.Digest, nil
	}
	if _, err := b.Rollback(t.Context(), aloft.RollbackInput{Stage: production}, b.events); err != nil {
		t.Error(err)
	}
}

// Go is built for the architecture that was asked for.
func TestGoIsBuiltForAnother(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs Go: apt-get install golang")
	}
	other := map[string]string{"amd64": aloft.ARM64, "arm64": aloft.X8664}[runtime.GOARCH]
	b := onAWS(t, map[string]string{
		"go.mod": "module app\n\ngo 1.20\n", "main.go": "package main\n\nfunc main() {}\n",
		"aloft.yml": "platform: aws\naws: {architecture: " + other + "}",
	})
	b.Buildpacks, b.BuildEnv = []buildpack.Buildpack{golang.New()}, os.Environ()
	d := b.up(t)
	code, err := b.store.Machines(t.Context(), d.Release.Artifact.Digest)
	if err != nil || len(code) != 1 || code[other] != "bin/app" || b.serving().AWS.Architecture != other {
		t.Errorf("got %v, %v, %+v", code, err, b.serving().AWS)
	}
}

// What a platform cannot have makes no release; what it says of others is told, by a plan too.
func TestChecked(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh"})
	b.platform.warnings = []string{"python3.9 is given up"}
	b.up(t)
	if !strings.Contains(b.events.text(), "python3.9 is given up") {
		t.Errorf("said\n%s", b.events.text())
	}
	b.platform.warnings, b.platform.unfit = nil, aloft.Errorf(aloft.Invalid, "no name")
	_, err := b.Configure(t.Context(), aloft.ConfigInput{Stage: production, Set: map[string]string{"A": "1"}}, b.events)
	fails(t, err, aloft.Invalid, "no name")
	_, err = b.Plan(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no name")
	if all, err := b.apps.Releases(t.Context(), production, 0); err != nil || len(all) != 1 {
		t.Errorf("%d releases, %v", len(all), err)
	}
}

// Functions get the runtimes that their artifact is made for; the same artifact gives the same again.
func TestFitted(t *testing.T) {
	b := onAWS(t, map[string]string{"run": "#!/bin/sh", "version": "3.12"})
	b.Fit = func(functions []aloft.Function, tree fs.FS) ([]aloft.Function, error) {
		text, err := fs.ReadFile(tree, "version")
		if err != nil {
			t.Error(err)
		}
		fitted := slices.Clone(functions)
		fitted[0].Runtime = "python" + string(text)
		return fitted, nil
	}
	b.up(t)
	if got := b.serving().Functions[0].Runtime; got != "python3.12" {
		t.Errorf("got %q", got)
	}
	if d := b.up(t); !d.Unchanged {
		t.Error("the same again made a release")
	}
	plan, err := b.Plan(t.Context(), b.input(), b.events)
	if err != nil || len(plan.Changes) != 0 {
		t.Errorf("%+v, %v", plan.Changes, err)
	}
}

// A server that AWS cannot start is refused by deploys, plans and exports alike, before there is a release.
func TestUnfit(t *testing.T) {
	t.Parallel()
	b := onAWS(t, map[string]string{"run": "#!/bin/sh"})
	b.Fit = stack.Fit
	b.up(t)
	b.write(t, map[string]string{"run": "#!/usr/bin/env lua"})
	_, err := b.Deploy(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no runtime of AWS Lambda has lua")
	_, err = b.Plan(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no runtime of AWS Lambda has lua")
	_, err = b.Draft(t.Context(), b.input(), b.events)
	fails(t, err, aloft.Invalid, "no runtime of AWS Lambda has lua")
}
