package aws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft/internal/awstest"
)

func TestLifeCycle(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)

	w.up("one")
	t.Log(w.report)
	w.expect("one red")
	first := w.report.String()
	for _, want := range []string{"WebFunction (AWS::Lambda::Function)", "uploaded  artifacts/", "answers 200"} {
		if !strings.Contains(first, want) {
			t.Errorf("the report lacks %q:\n%s", want, first)
		}
	}

	w.up("two")
	w.expect("two red")
	if text := w.report.String(); strings.Contains(text, "AWS::") || !strings.Contains(text, "published") {
		t.Errorf("a release of other code changed the stack:\n%s", text)
	}

	w.set("COLOR", "blue")
	w.up("two")
	w.expect("two blue")
	if text := w.report.String(); !strings.Contains(text, "AWS::Lambda::Function") {
		t.Errorf("another config did not change the stack:\n%s", text)
	}

	w.up("one")
	w.expect("one blue")
	w.up("two")
	w.expect("two blue")
	if text := w.report.String(); strings.Contains(text, "published") {
		t.Errorf("a return to what ran before published a version:\n%s", text)
	}

	w.must(w.platform.Remove(t.Context(), w.ref))
	if got := w.stacks(home); len(got) != 1 || got["aloft"] == "" {
		t.Errorf("stacks after the removal: %v", got)
	}
	if got := w.functions(home); len(got) > 0 {
		t.Errorf("functions after the removal: %v", got)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	w.up("one")
	w.must(w.platform.Stop(t.Context(), w.ref))
	status, err := w.platform.Status(t.Context(), w.ref)
	w.must(err)
	if len(status.Instances) != 1 || status.Instances[0].State != "stopped" {
		t.Errorf("instances of a stopped stage: %+v", status.Instances)
	}
	again := w.release("one")
	w.must(w.apply(t.Context(), again))
	w.expect("one red")
}

// TestCodeAfterCode is a trap: after releases that changed only code, the stack's template names other code than the functions
// have, and CloudFormation, asked for that code again with another config, sees no difference in code.
func TestCodeAfterCode(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	w := newWorld(t, cloud)
	w.up("one")
	w.up("two") // by Lambda's API
	w.set("COLOR", "blue")
	w.up("one") // the template named it all along
	w.expect("one blue")
	out, err := lambda.NewFromConfig(cloud.Config).ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: new("hello-web")})
	w.must(err)
	var described []string
	for _, v := range out.Versions {
		described = append(described, *v.Description)
	}
	if !slices.Contains(described, "v2") || !slices.Contains(described, "v3") {
		t.Errorf("descriptions of the versions: %q", described)
	}
}

// TestOldVersions makes more releases than Lambda is to keep versions of.
func TestOldVersions(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	const releases = 24
	for n := range releases {
		w.up(fmt.Sprint("release ", n))
	}
	out, err := lambda.NewFromConfig(w.in(home)).ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: new("hello-web"), MaxItems: new(int32(50))})
	w.must(err)
	var kept []string
	for _, v := range out.Versions {
		kept = append(kept, *v.Version)
	}
	// $LATEST, the newest twenty, and the one that the stack's template is of
	if len(kept) != 22 || !slices.Contains(kept, "1") || slices.Contains(kept, "2") || !slices.Contains(kept, "24") {
		t.Errorf("versions: %v", kept)
	}
	w.up("release 1")
	w.expect("release 1 red")
}
