package stack_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

var update = flag.Bool("update", false, "write the golden templates")

const (
	account = "123456789012"
	bucket  = "aloft-" + account + "-us-east-1"
)

// release is one of an app on AWS.
func release(app string, functions ...aloft.Function) aloft.Release {
	return aloft.Release{
		StageRef: aloft.StageRef{App: app, Stage: "production"}, Version: 12, Kind: aloft.DeployRelease,
		Artifact: aloft.Artifact{Digest: strings.Repeat("0123456789abcdef", 4)}, Functions: functions, Platform: aloft.OnAWS,
		AWS: &aloft.AWS{Regions: []string{"us-east-1"}, Architecture: aloft.ARM64}, CreatedAt: time.Unix(0, 0),
	}
}

func input(r aloft.Release) stack.Input {
	return stack.Input{
		Release: r, Region: "us-east-1",
		Code: stack.Object{Bucket: bucket, Key: "artifacts/" + r.Artifact.Digest + ".zip"},
		Shim: stack.Object{Bucket: bucket, Key: "shims/feedbeef.zip"},
	}
}

func render(t *testing.T, in stack.Input) (stack.Output, []byte) {
	t.Helper()
	out, err := stack.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return out, text
}

// lint has cfn-lint read templates: no errors and no warnings.
func lint(t *testing.T, files ...string) {
	t.Helper()
	program, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed (pip install cfn-lint)")
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"--regions", "us-east-1", "--"}, files...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func golden(t *testing.T, name string, text []byte) string {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(text) {
		t.Errorf("%s is not what Render makes: go test ./internal/stack -update, and look at the difference", file)
	}
	if !json.Valid(text) {
		t.Errorf("%s is no JSON", file)
	}
	return file
}

func TestGolden(t *testing.T) {
	t.Parallel()
	var files []string
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			_, text := render(t, in)
			files = append(files, golden(t, name, text))
		})
	}
	lint(t, files...)
}
