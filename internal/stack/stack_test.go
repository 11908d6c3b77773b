package stack_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

var update = flag.Bool("update", false, "write the golden templates")

// release is one of an app on AWS.
func release(app string, functions ...aloft.Function) aloft.Release {
	return aloft.Release{
		StageRef: aloft.StageRef{App: app, Stage: "production"}, Version: 12, Kind: aloft.DeployRelease,
		Artifact: aloft.Artifact{Digest: "0123456789abcdef"}, Functions: functions, Platform: aloft.OnAWS,
		AWS: &aloft.AWS{Regions: []string{"us-east-1"}, Architecture: aloft.ARM64}, CreatedAt: time.Unix(0, 0),
	}
}

func input(r aloft.Release) stack.Input {
	const bucket = "aloft-123456789012-us-east-1"
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
	cmd := exec.CommandContext(t.Context(), program, append([]string{"--include-checks", "I", "--ignore-checks", "I1022", "--regions", "us-east-1", "--"}, files...)...)
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
	_, text := render(t, input(release("hello-server", aloft.Function{Name: "web", Kind: aloft.Web, Command: []string{"./server"}})))
	lint(t, golden(t, "hello-server", text))
}
