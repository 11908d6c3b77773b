package aws_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/mem"
)

// TestInUseAtRest: CloudFormation may go back to code that no template names while it is at work, so nobody may say then what is in
// use. Stacks of others do not matter.
func TestInUseAtRest(t *testing.T) {
	t.Parallel()
	const ours, theirs = "<Tags><member><Key>aloft:app</Key><Value>hello</Value></member></Tags>", "<Tags><member><Key>team</Key><Value>shop</Value></member></Tags>"
	named := strings.Repeat("ab", 32)
	for _, test := range []struct {
		status, tags string
		code         aloft.Code
		used         bool
	}{
		{"UPDATE_COMPLETE", ours, "", true},
		{"UPDATE_ROLLBACK_COMPLETE", ours, "", true},
		{"UPDATE_IN_PROGRESS", ours, aloft.Conflict, false},
		{"UPDATE_ROLLBACK_IN_PROGRESS", ours, aloft.Conflict, false},
		{"UPDATE_ROLLBACK_FAILED", ours, aloft.Conflict, false},
		{"UPDATE_FAILED", ours, aloft.Conflict, false},
		{"UPDATE_IN_PROGRESS", theirs, "", false},
	} {
		_, config := fake(t, map[string][]string{
			"DescribeStacks": {"<Stacks><member><StackName>hello-production</StackName><StackId>s</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>" + test.status + "</StackStatus>" + test.tags + "</member></Stacks>"},
			"GetTemplate":    {`<TemplateBody>{"Resources": {"Web": {"S3Key": "artifacts/` + named + `.zip"}}}</TemplateBody>`},
		})
		session, err := aws.Identify(t.Context(), config, aws.Want{})
		if err != nil {
			t.Fatal(err)
		}
		platform := aws.New(aws.Options{Session: session, Releases: &mem.Store{}, Objects: func(string) aws.Objects { return nil }})
		used, err := platform.InUse(t.Context(), home)
		if aloft.ErrorCode(err) != test.code || used[named] != test.used {
			t.Errorf("%s with %s: %v, %v", test.status, test.tags, used, err)
		}
	}
}

// TestCollectedElsewhere returns to a release whose code is gone from a region that is not its home: there, stages of that home
// decide what is collected, and know nothing of it. Also this machine has not built it.
func TestCollectedElsewhere(t *testing.T) {
	t.Parallel()
	const other = "us-east-1"
	for _, config := range []bool{false, true} { // code alone, or by the stack
		w := newMiniStack(t, home, other)
		first := w.release("one")
		w.must(w.apply(t.Context(), first))
		if config {
			w.set("COLOR", "blue")
		}
		w.up("two")
		w.up("three")
		key := "artifacts/" + first.Artifact.Digest + ".zip"
		w.must(w.options.Objects(other).Delete(t.Context(), key))
		clear(w.zips)
		back, err := w.apps.CreateRelease(t.Context(), aloft.Release{
			StageRef: w.ref, Kind: aloft.RollbackRelease, Platform: aloft.OnAWS, AWS: first.AWS, Artifact: first.Artifact, Functions: slices.Clone(first.Functions), Config: first.Config,
		})
		w.must(err)
		w.must(w.apply(t.Context(), back))
		w.expect("one red")
		has, err := w.options.Objects(other).Has(t.Context(), key)
		w.must(err)
		if !has {
			t.Error("the code is not where the function of the other region is made of")
		}
	}
}

// TestRecoverLargeConfig reads config back that lies in a secret: that of all functions, and that of one.
func TestRecoverLargeConfig(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	want := aloft.Config{"LARGE": strings.Repeat("x", 5000), "COLOR": "red", "web/ONLY": "web", "admin/COLOR": "green"}
	w.configs = append(w.configs, aloft.Config{"LARGE": "of before"}, want)
	release := w.release("one")
	release.Functions = append(slices.Clone(release.Functions), aloft.Function{Name: "admin", Kind: aloft.Web, Command: []string{"./server"}})
	w.must(w.apply(t.Context(), release))
	found, err := w.platform.Recover(t.Context(), home, "hello-production")
	w.must(err)
	if !found.Ours || found.Release.Version != release.Version || found.Release.Artifact.Digest != release.Artifact.Digest {
		t.Errorf("recovered: %+v", found.Release)
	}
	for name, value := range want.For("web") {
		if found.Config.For("web")[name] != value {
			t.Errorf("web has %s=%.20q", name, found.Config.For("web")[name])
		}
	}
	if admin := found.Config.For("admin"); len(admin) != 2 || admin["COLOR"] != "green" || admin["LARGE"] != want["LARGE"] {
		t.Errorf("admin has %d variables, COLOR %q", len(admin), admin["COLOR"])
	}
}
